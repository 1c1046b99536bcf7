-- n, c and level of every problem that has a verdict in one of the given runs.
-- parameters: run_keys UBIGINT[]
-- columns: run_key UBIGINT, problem_key UBIGINT, n BIGINT, c BIGINT, level VARCHAR
SELECT tallies.run_key, tallies.problem_key, tallies.n, tallies.c, problems.level
FROM tallies
JOIN problems USING (problem_key)
WHERE list_contains($run_keys, tallies.run_key) AND tallies.n > 0
ORDER BY tallies.problem_key
