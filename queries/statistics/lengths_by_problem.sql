-- How long correct and other verified samples of each problem are, those with a token count.
-- parameters: run_keys UBIGINT[], problem_keys UBIGINT[]
-- columns: run_key UBIGINT, problem_key UBIGINT, is_correct BOOLEAN, samples BIGINT, tokens HUGEINT
SELECT run_key, problem_key, verdict = 'correct' AS is_correct, count(*) AS samples, sum(tokens) AS tokens
FROM outcomes
WHERE
    list_contains($run_keys, run_key)
    AND tokens IS NOT NULL
    AND verdict NOT IN ('unverified', 'error')
    AND ($problem_keys IS NULL OR problem_key IN (SELECT unnest($problem_keys)))
GROUP BY run_key, problem_key, is_correct
ORDER BY run_key, problem_key, is_correct
