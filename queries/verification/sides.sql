-- What two sides say of the samples of some runs, and what a person said: samples by problem and the three verdicts, and
-- which samples those are of which one side alone says correct. A side is a verifier, filter or scorer, whose last
-- verdict is meant; or `imported`, what the samples came with; `counting`, what counts but for overrides; `overrides`,
-- what counts. NULL where a side says nothing.
-- parameters: run_keys UBIGINT[], first VARCHAR, second VARCHAR
-- columns: run_key UBIGINT, problem_key UBIGINT, first VARCHAR, second VARCHAR, said VARCHAR, samples BIGINT
-- columns: disputed INTEGER[]
WITH beside AS (
    SELECT
        run_key,
        problem_key,
        sample,
        arg_max(verdict, created) FILTER (used) AS used,
        arg_max(verdict, created) FILTER (verifier = $first) AS first,
        arg_max(verdict, created) FILTER (verifier = $second) AS second
    FROM verdicts
    WHERE list_contains($run_keys, run_key)
    GROUP BY run_key, problem_key, sample
),
sides AS (
    SELECT
        came.run_key,
        came.problem_key,
        came.sample,
        CASE $first
            WHEN 'imported' THEN came.verdict
            WHEN 'counting' THEN coalesce(beside.used, came.verdict)
            WHEN 'overrides' THEN coalesce(overrides.verdict, beside.used, came.verdict)
            ELSE beside.first
        END AS first,
        CASE $second
            WHEN 'imported' THEN came.verdict
            WHEN 'counting' THEN coalesce(beside.used, came.verdict)
            WHEN 'overrides' THEN coalesce(overrides.verdict, beside.used, came.verdict)
            ELSE beside.second
        END AS second,
        overrides.verdict AS said
    FROM counted.outcomes AS came
    LEFT JOIN beside USING (run_key, problem_key, sample)
    LEFT JOIN overrides USING (run_key, problem_key, sample)
    WHERE list_contains($run_keys, came.run_key)
)
SELECT
    run_key,
    problem_key,
    first,
    second,
    said,
    count(*) AS samples,
    CASE WHEN (first = 'correct') <> (second = 'correct') THEN list(sample ORDER BY sample) ELSE [] END AS disputed
FROM sides
GROUP BY run_key, problem_key, first, second, said
ORDER BY run_key, problem_key, first, second, said
