-- The scores of one run's samples of one problem, once for each model; float32 counts where there are several.
-- parameters: run_key UBIGINT, problem_key UBIGINT
-- columns: scorer VARCHAR, sample INTEGER, tokens INTEGER, logprob_sum DOUBLE
SELECT scorer, sample, score.tokens AS tokens, score.logprob_sum AS logprob_sum
FROM (
    SELECT
        scorer,
        sample,
        arg_min({tokens: tokens, logprob_sum: logprob_sum}, dtype <> 'float32') AS score
    FROM scores
    WHERE run_key = $run_key AND problem_key = $problem_key
    GROUP BY ALL
)
ORDER BY scorer, sample
