-- The samples of a run whose text is stored, by problem in the order of the benchmark, with the characters and tokens
-- of them all; only those of one verdict where `verdict` says so. What lengths are known of is in the last two columns.
-- parameters: run_key UBIGINT, problem_keys UBIGINT[], verdict VARCHAR
-- columns: problem_key UBIGINT, label VARCHAR, asked BIGINT, samples INTEGER[], characters INTEGER[]
-- columns: characters_known BIGINT, tokens_known BIGINT
WITH stored AS (
    SELECT
        problem_key,
        list(sample ORDER BY sample) AS samples,
        list(characters ORDER BY sample) AS characters,
        coalesce(sum(characters) FILTER (tokens IS NOT NULL), 0)::BIGINT AS characters_known,
        coalesce(sum(tokens), 0)::BIGINT AS tokens_known
    FROM outcomes
    WHERE run_key = $run_key AND characters IS NOT NULL
        AND ($problem_keys IS NULL OR list_contains($problem_keys, problem_key))
        AND ($verdict IS NULL OR verdict = $verdict)
    GROUP BY problem_key
)
SELECT
    problem_key,
    problems.label,
    (coalesce(length(problems.statement), 0) + coalesce(length(problems.reference), 0))::BIGINT AS asked,
    stored.samples,
    stored.characters,
    stored.characters_known,
    stored.tokens_known
FROM stored
JOIN problems USING (problem_key)
ORDER BY problems.position, problem_key
