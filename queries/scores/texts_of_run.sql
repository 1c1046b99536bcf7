-- The samples of a run whose text is stored, by problem in the order of the benchmark; of some problems only, or of all.
-- parameters: run_key UBIGINT, problem_keys UBIGINT[]
-- columns: problem_key UBIGINT, label VARCHAR, statement VARCHAR, samples INTEGER[]
WITH stored AS (
    SELECT problem_key, list(sample ORDER BY sample) AS samples
    FROM outcomes
    WHERE run_key = $run_key AND characters IS NOT NULL
        AND ($problem_keys IS NULL OR list_contains($problem_keys, problem_key))
    GROUP BY problem_key
)
SELECT problem_key, problems.label, problems.statement, stored.samples
FROM stored
JOIN problems USING (problem_key)
ORDER BY problems.position, problem_key
