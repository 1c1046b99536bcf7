-- The problems that one of the given runs has, in the order of their benchmark, with all that is known of them.
-- parameters: run_keys UBIGINT[]
-- columns: problem_key UBIGINT, benchmark VARCHAR, id VARCHAR, label VARCHAR, position INTEGER, statement VARCHAR
-- columns: reference VARCHAR, level VARCHAR, metadata VARCHAR
SELECT problem_key, benchmark, id, label, position, statement, reference, level, metadata
FROM problems
WHERE problem_key IN (SELECT problem_key FROM tallies WHERE list_contains($run_keys, run_key))
ORDER BY benchmark, position, label
