-- n and c of every problem of the given runs.
-- parameters: run_keys UBIGINT[]
-- columns: run_key UBIGINT, problem_key UBIGINT, n BIGINT, c BIGINT
SELECT run_key, problem_key, n, c
FROM tallies
WHERE list_contains($run_keys, run_key)
