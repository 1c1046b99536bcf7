-- The samples of some problems of one run with their texts; optionally of one verdict, or of one index, and at most so
-- many of each problem.
-- parameters: run_key UBIGINT, problem_keys UBIGINT[], verdict VARCHAR, sample INTEGER, limit BIGINT
-- columns: problem_key UBIGINT, sample INTEGER, verdict VARCHAR, detail VARCHAR, answer VARCHAR, tokens INTEGER
-- columns: finish_reason VARCHAR, seed BIGINT, logprob_sum DOUBLE, source_key UBIGINT, source_row INTEGER, text VARCHAR
WITH wanted AS (
    FROM outcomes
    WHERE
        run_key = $run_key
        AND problem_key IN (SELECT unnest($problem_keys))
        AND ($verdict IS NULL OR verdict = $verdict)
        AND ($sample IS NULL OR sample = $sample)
    QUALIFY $limit IS NULL OR row_number() OVER (PARTITION BY problem_key ORDER BY sample) <= $limit
),
-- Filtered on its own, so that the scan of texts skips every block of other runs and problems.
texts_of_problems AS (
    SELECT problem_key, sample, text
    FROM texts
    WHERE run_key = $run_key AND problem_key IN (SELECT unnest($problem_keys))
)
SELECT
    wanted.problem_key,
    wanted.sample,
    wanted.verdict,
    wanted.detail,
    wanted.answer,
    wanted.tokens,
    wanted.finish_reason,
    wanted.seed,
    wanted.logprob_sum,
    wanted.source_key,
    wanted.source_row,
    texts_of_problems.text
FROM wanted
LEFT JOIN texts_of_problems USING (problem_key, sample)
ORDER BY wanted.problem_key, wanted.sample
