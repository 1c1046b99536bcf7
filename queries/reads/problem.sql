-- One problem.
-- parameters: problem_key UBIGINT
-- columns: problem_key UBIGINT, label VARCHAR, benchmark VARCHAR, statement VARCHAR, reference VARCHAR, level VARCHAR
-- columns: metadata VARCHAR
SELECT problem_key, label, benchmark, statement, reference, level, metadata
FROM problems
WHERE problem_key = $problem_key
