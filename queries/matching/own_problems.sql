-- What files said of some problems, by their own keys.
-- parameters: keys UBIGINT[]
-- columns: problem_key UBIGINT, id VARCHAR, statement VARCHAR
SELECT problem_key, arg_min(id, part) AS id, arg_min(statement, part) FILTER (statement IS NOT NULL) AS statement
FROM whole.problems
WHERE problem_key IN (SELECT unnest($keys))
GROUP BY problem_key
