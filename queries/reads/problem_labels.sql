-- Keys of the problems of one benchmark that go by a label or an id.
-- parameters: benchmark VARCHAR, name VARCHAR
-- columns: problem_key UBIGINT, label VARCHAR
SELECT problem_key, label
FROM problems
WHERE benchmark = $benchmark AND ($name IN (label, id))
ORDER BY label
