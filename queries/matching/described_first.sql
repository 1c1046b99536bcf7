-- The part that described each of some problems first, also one that is taken back.
-- parameters: keys UBIGINT[]
-- columns: problem_key UBIGINT, part VARCHAR
SELECT problem_key, min(part) AS part
FROM stored.problems
WHERE problem_key IN (SELECT unnest($keys))
GROUP BY problem_key
