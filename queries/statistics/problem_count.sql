-- How many problems these runs have together.
-- parameters: run_keys UBIGINT[]
-- columns: problems BIGINT
SELECT count(DISTINCT problem_key) AS problems
FROM tallies
WHERE list_contains($run_keys, run_key)
