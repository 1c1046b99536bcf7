-- The models under which texts of these runs, or reference responses to the benchmark's problems, have been scored.
-- parameters: run_keys UBIGINT[], benchmark VARCHAR
-- columns: scorer VARCHAR
SELECT DISTINCT scorer
FROM scores
WHERE list_contains($run_keys, run_key)
    OR (run_key = 0 AND problem_key IN (SELECT problem_key FROM problems WHERE benchmark = $benchmark))
ORDER BY scorer
