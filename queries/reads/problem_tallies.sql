-- One problem's tally in every run that has it.
-- parameters: problem_key UBIGINT
-- columns: run_key UBIGINT, n BIGINT, c BIGINT, mean_tokens DOUBLE, texts BIGINT
SELECT run_key, n, c, tokens_total / nullif(tokens_known, 0) AS mean_tokens, texts
FROM tallies
WHERE problem_key = $problem_key
