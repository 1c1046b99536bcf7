-- The problems that the store has of a benchmark, for an import that may bring the same ones.
-- parameters: benchmark VARCHAR
-- columns: problem_key UBIGINT, id VARCHAR, statement VARCHAR, reference VARCHAR, metadata VARCHAR
SELECT problem_key, id, statement, reference, metadata
FROM problems
WHERE benchmark = $benchmark
