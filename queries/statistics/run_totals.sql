-- The totals of runs over some of their problems. n ranges over problems that have a verified sample.
-- parameters: run_keys UBIGINT[], problem_keys UBIGINT[]
-- columns: run_key UBIGINT, problems BIGINT, samples BIGINT, correct BIGINT, unverified BIGINT, n_min BIGINT
-- columns: n_max BIGINT, without_verdict BIGINT, solvable BIGINT, texts BIGINT, mean_tokens DOUBLE
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
WHERE list_contains($run_keys, run_key) AND problem_key IN (SELECT unnest($problem_keys))
GROUP BY run_key
