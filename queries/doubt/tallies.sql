-- n, c and level of every problem that has a verdict in one of the given runs.
-- parameters: run_keys UBIGINT[]
-- columns: run_key UBIGINT, problem_key UBIGINT, n BIGINT, c BIGINT, level VARCHAR
SELECT statistics.run_key, statistics.problem_key, statistics.n, statistics.c, problems.level
FROM statistics
JOIN problems USING (problem_key)
WHERE list_contains($run_keys, statistics.run_key) AND statistics.n > 0
ORDER BY statistics.problem_key
