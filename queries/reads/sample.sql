-- One sample, without its text.
-- parameters: run_key UBIGINT, problem_key UBIGINT, sample INTEGER
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
WHERE run_key = $run_key AND problem_key = $problem_key AND sample = $sample
