-- What is known of the problems of one benchmark, to compare with what is to be added.
-- parameters: benchmark VARCHAR
-- columns: problem_key UBIGINT, label VARCHAR, reference VARCHAR, statement_known BOOLEAN
SELECT problem_key, label, reference, statement IS NOT NULL AS statement_known
FROM problems
WHERE benchmark = $benchmark
ORDER BY position, label
