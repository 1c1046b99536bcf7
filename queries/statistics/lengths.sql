-- How many samples of each run have each length in tokens, by verdict; of all problems, or of those given.
-- parameters: run_keys UBIGINT[], problem_keys UBIGINT[]
-- columns: run_key UBIGINT, verdict VARCHAR, tokens INTEGER, samples BIGINT
SELECT run_key, verdict, tokens, count(*) AS samples
FROM outcomes
WHERE
    list_contains($run_keys, run_key)
    AND ($problem_keys IS NULL OR problem_key IN (SELECT unnest($problem_keys)))
GROUP BY run_key, verdict, tokens
ORDER BY run_key, verdict, tokens
