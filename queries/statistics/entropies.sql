-- Sums of stored log-probabilities and tokens of each run, over the samples that have both.
-- parameters: run_keys UBIGINT[], problem_keys UBIGINT[]
-- columns: run_key UBIGINT, samples BIGINT, tokens BIGINT, logprob_sum DOUBLE
SELECT
    run_key,
    count(*) AS samples,
    sum(tokens)::BIGINT AS tokens,
    sum(logprob_sum) AS logprob_sum
FROM outcomes
WHERE
    list_contains($run_keys, run_key)
    AND ($problem_keys IS NULL OR problem_key IN (SELECT unnest($problem_keys)))
    AND logprob_sum IS NOT NULL
    AND tokens > 0
GROUP BY run_key
ORDER BY run_key
