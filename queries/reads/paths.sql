-- The samples of one run and problem with their texts, in order of their index; optionally of one verdict only.
-- parameters: run_key UBIGINT, problem_key UBIGINT, verdict VARCHAR, limit BIGINT
-- columns: sample INTEGER, verdict VARCHAR, detail VARCHAR, answer VARCHAR, tokens INTEGER, characters INTEGER
-- columns: finish_reason VARCHAR, seed BIGINT, logprob_sum DOUBLE, source_key UBIGINT, source_row INTEGER
-- columns: overridden BOOLEAN
-- columns: text VARCHAR
WITH wanted AS (
    FROM outcomes
    WHERE run_key = $run_key AND problem_key = $problem_key AND ($verdict IS NULL OR verdict = $verdict)
),
-- Filtered on its own, so that the scan of texts skips every block of other runs and problems.
texts_of_problem AS (
    SELECT sample, text FROM texts WHERE run_key = $run_key AND problem_key = $problem_key
)
SELECT
    wanted.sample,
    wanted.verdict,
    wanted.detail,
    wanted.answer,
    wanted.tokens,
    wanted.characters,
    wanted.finish_reason,
    wanted.seed,
    wanted.logprob_sum,
    wanted.source_key,
    wanted.source_row,
    wanted.overridden,
    texts_of_problem.text
FROM wanted
LEFT JOIN texts_of_problem USING (sample)
ORDER BY wanted.sample
LIMIT $limit
