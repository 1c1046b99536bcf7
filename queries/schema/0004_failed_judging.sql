-- A sample whose judging failed (error) does not count into n any more; earlier versions counted it. The correction is
-- one more row for each run and problem, since rows add up. Schema version 4.
-- A script; executed once in a store of version 3, inside one transaction with the row that records the version.
INSERT INTO statistics BY NAME
SELECT
    run_key,
    problem_key,
    'samples' AS origin,
    -count(*) AS n,
    0 AS c,
    count(*) AS unverified,
    0 AS tokens_known,
    0 AS tokens_total,
    0 AS texts
FROM outcomes
LEFT JOIN (
    SELECT run_key, problem_key, sample, arg_max(verdict, created) AS verdict
    FROM verdicts
    WHERE used
    GROUP BY run_key, problem_key, sample
) AS used USING (run_key, problem_key, sample)
WHERE coalesce(used.verdict, outcomes.verdict) = 'error'
GROUP BY run_key, problem_key
