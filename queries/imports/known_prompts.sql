-- The MD5 of every prompt that the problems of a benchmark were asked with.
-- parameters: benchmark VARCHAR
-- columns: problem_key UBIGINT, prompts VARCHAR[]
SELECT problem_key, list(DISTINCT md5(prompt)) AS prompts
FROM prompts
WHERE run_key IN (SELECT run_key FROM runs WHERE benchmark = $benchmark)
GROUP BY problem_key
