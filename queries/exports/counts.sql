-- Published counts of some runs: problems with n and c, but without samples.
-- parameters: run_keys UBIGINT[]
-- columns: run_key UBIGINT, problem_key UBIGINT, n BIGINT, c BIGINT
SELECT run_key, problem_key, sum(n)::BIGINT AS n, sum(c)::BIGINT AS c
FROM counted.statistics
WHERE origin = 'counts' AND list_contains($run_keys, run_key)
GROUP BY run_key, problem_key
