-- The problems of a benchmark that can be asked: those with a statement, in its order.
-- parameters: benchmark VARCHAR
-- columns: problem_key UBIGINT, label VARCHAR, statement VARCHAR, reference VARCHAR, metadata VARCHAR
SELECT problem_key, label, statement, reference, metadata
FROM problems
WHERE benchmark = $benchmark AND statement IS NOT NULL
ORDER BY position, label
