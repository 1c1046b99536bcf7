-- What is counted of every problem of one run.
-- parameters: run_key UBIGINT
-- columns: problem_key UBIGINT, n BIGINT, c BIGINT, mean_tokens DOUBLE
SELECT problem_key, n, c, tokens_total / nullif(tokens_known, 0) AS mean_tokens
FROM tallies
WHERE run_key = $run_key
