-- Every scored text of these runs (0: reference responses) of a benchmark, once for each model, with the logarithm of its
-- perplexity: NaN where it did not fit the context or has no token. Of a text that was scored in several precisions
-- float32 counts. right: 1 for a correct sample, 0 for an incorrect one,
-- -1 for an unverified one and for a reference response.
-- parameters: run_keys UBIGINT[], benchmark VARCHAR, scorers VARCHAR[], problem_keys UBIGINT[]
-- columns: run_key UBIGINT, problem_key UBIGINT, scorer INTEGER, log_perplexity DOUBLE, fits BOOLEAN, float32 BOOLEAN
-- columns: right INTEGER
WITH of_benchmark AS (
    SELECT problem_key
    FROM problems
    WHERE benchmark = $benchmark AND ($problem_keys IS NULL OR list_contains($problem_keys, problem_key))
),
chosen AS (
    SELECT
        run_key,
        problem_key,
        sample,
        list_position($scorers, scorer) - 1 AS scorer,
        arg_min({tokens: tokens, logprob_sum: logprob_sum}, dtype <> 'float32') AS score,
        bool_or(dtype = 'float32') AS float32
    FROM scores
    WHERE list_contains($run_keys, run_key) AND list_contains($scorers, scorer)
        AND problem_key IN (FROM of_benchmark)
    GROUP BY ALL
),
judged AS (
    SELECT run_key, problem_key, sample, verdict FROM outcomes WHERE list_contains($run_keys, run_key)
)
SELECT
    run_key,
    problem_key,
    chosen.scorer::INTEGER AS scorer,
    coalesce(-chosen.score.logprob_sum / nullif(chosen.score.tokens, 0), 'nan'::DOUBLE) AS log_perplexity,
    chosen.score.logprob_sum IS NOT NULL AS fits,
    chosen.float32,
    CASE WHEN judged.verdict IS NULL OR judged.verdict IN ('unverified', 'error') THEN -1 ELSE (judged.verdict = 'correct')::INTEGER END AS "right"
FROM chosen
LEFT JOIN judged USING (run_key, problem_key, sample)
