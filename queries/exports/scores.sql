-- Log-probabilities of some problems' samples under models.
-- parameters: run_key UBIGINT, problem_keys UBIGINT[]
-- columns: problem_key UBIGINT, sample INTEGER, scorer VARCHAR, engine VARCHAR, dtype VARCHAR, tokens INTEGER
-- columns: logprob_sum DOUBLE
SELECT problem_key, sample, scorer, engine, dtype, tokens, logprob_sum
FROM scores
WHERE run_key = $run_key AND problem_key IN (SELECT unnest($problem_keys))
ORDER BY problem_key, sample, scorer, engine, dtype, logprob_sum
