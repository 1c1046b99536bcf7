-- Every run with its model and its totals. n ranges over problems that have a verified sample.
-- columns: run_key UBIGINT, run VARCHAR, model VARCHAR, role VARCHAR, from_model VARCHAR, step INTEGER, algorithm VARCHAR
-- columns: benchmark VARCHAR, parameters VARCHAR, problems BIGINT, samples BIGINT, correct BIGINT, unverified BIGINT
-- columns: n_min BIGINT, n_max BIGINT, without_verdict BIGINT, solvable BIGINT, texts BIGINT, mean_tokens DOUBLE
-- columns: stored_name VARCHAR
WITH totals AS (
    SELECT
        run_key,
        count(*) AS problems,
        sum(n + unverified)::BIGINT AS samples,
        sum(c)::BIGINT AS correct,
        sum(unverified)::BIGINT AS unverified,
        min(n) FILTER (n > 0) AS n_min,
        max(n) FILTER (n > 0) AS n_max,
        count(*) FILTER (n = 0) AS without_verdict,
        count(*) FILTER (c > 0) AS solvable,
        sum(texts)::BIGINT AS texts,
        sum(tokens_total) / nullif(sum(tokens_known), 0) AS mean_tokens
    FROM tallies
    GROUP BY run_key
)
SELECT
    runs.run_key,
    runs.run,
    runs.model,
    models.role,
    models.from_model,
    models.step,
    models.algorithm,
    runs.benchmark,
    runs.parameters,
    totals.problems,
    totals.samples,
    totals.correct,
    totals.unverified,
    totals.n_min,
    totals.n_max,
    totals.without_verdict,
    totals.solvable,
    totals.texts,
    totals.mean_tokens,
    runs.stored_name
FROM runs
JOIN totals USING (run_key)
LEFT JOIN models USING (model)
ORDER BY runs.benchmark, models.role = 'base' DESC NULLS LAST, models.step NULLS FIRST, runs.run
