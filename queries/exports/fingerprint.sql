-- What a store's fingerprint is made of: every run, model and problem with its tally. Texts are counted, not read.
-- columns: run VARCHAR, model VARCHAR, parameters VARCHAR, problem_key UBIGINT, n BIGINT, c BIGINT, unverified BIGINT
-- columns: tokens_known BIGINT, tokens_total BIGINT, texts BIGINT
SELECT
    runs.run,
    runs.model,
    runs.parameters,
    statistics.problem_key,
    statistics.n,
    statistics.c,
    statistics.unverified,
    statistics.tokens_known,
    statistics.tokens_total,
    statistics.texts
FROM statistics
JOIN runs USING (run_key)
ORDER BY runs.run, statistics.problem_key
