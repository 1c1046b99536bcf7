-- What a store's fingerprint is made of: every run, model and problem with its tally. Texts are counted, not read.
-- columns: run VARCHAR, model VARCHAR, parameters VARCHAR, problem_key UBIGINT, n BIGINT, c BIGINT, unverified BIGINT
-- columns: tokens_known BIGINT, tokens_total BIGINT, texts BIGINT
SELECT
    runs.run,
    runs.model,
    runs.parameters,
    tallies.problem_key,
    tallies.n,
    tallies.c,
    tallies.unverified,
    tallies.tokens_known,
    tallies.tokens_total,
    tallies.texts
FROM tallies
JOIN runs USING (run_key)
ORDER BY runs.run, tallies.problem_key
