-- The problems of a benchmark that can be asked, with what may be a reference response; of some only, or of all.
-- parameters: benchmark VARCHAR, problem_keys UBIGINT[]
-- columns: problem_key UBIGINT, label VARCHAR, statement VARCHAR, metadata VARCHAR
SELECT problem_key, label, statement, metadata
FROM problems
WHERE benchmark = $benchmark AND ($problem_keys IS NULL OR list_contains($problem_keys, problem_key))
ORDER BY position, problem_key
