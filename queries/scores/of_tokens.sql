-- One text's scores by token, under every model that they are stored of.
-- parameters: run_key UBIGINT, problem_key UBIGINT, sample INTEGER
-- columns: scorer VARCHAR, dtype VARCHAR, ends INTEGER[], logprobs FLOAT[], alternatives VARCHAR
SELECT scorer, dtype, ends, logprobs, alternatives
FROM token_scores
WHERE run_key = $run_key AND problem_key = $problem_key AND sample = $sample
ORDER BY scorer, dtype <> 'float32', dtype
