-- The samples of one run and problem in order of their index, without texts; optionally of one verdict only.
-- parameters: run_key UBIGINT, problem_key UBIGINT, verdict VARCHAR, limit BIGINT, offset BIGINT
-- columns: sample INTEGER, verdict VARCHAR, detail VARCHAR, answer VARCHAR, tokens INTEGER, characters INTEGER
-- columns: finish_reason VARCHAR, seed BIGINT, logprob_sum DOUBLE, source_key UBIGINT, source_row INTEGER
-- columns: overridden BOOLEAN
SELECT
    sample,
    verdict,
    detail,
    answer,
    tokens,
    characters,
    finish_reason,
    seed,
    logprob_sum,
    source_key,
    source_row,
    overridden
FROM outcomes
WHERE run_key = $run_key AND problem_key = $problem_key AND ($verdict IS NULL OR verdict = $verdict)
ORDER BY sample
LIMIT $limit OFFSET $offset
