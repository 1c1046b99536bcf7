-- The tallies that count, while something is taken back or overridden.
-- A script.
CREATE OR REPLACE VIEW counted.statistics AS
SELECT
    run_key,
    problem_key,
    origin,
    sum(n)::BIGINT AS n,
    sum(c)::BIGINT AS c,
    sum(unverified)::BIGINT AS unverified,
    sum(tokens_known)::BIGINT AS tokens_known,
    sum(tokens_total)::BIGINT AS tokens_total,
    sum(texts)::BIGINT AS texts,
    NULL::VARCHAR AS part
FROM (
    FROM stored.statistics AS counts
    ANTI JOIN overlay.hidden_counts AS hidden
        ON counts.origin = 'counts'
            AND counts.run_key = hidden.run_key
            AND counts.part IS NOT DISTINCT FROM hidden.part
    UNION ALL BY NAME
    FROM overlay.corrections
)
GROUP BY run_key, problem_key, origin
HAVING sum(n) + sum(unverified) > 0;
