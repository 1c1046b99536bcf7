-- What decisions change in the tallies: of every sample that is taken back or overridden, what it comes to now less what
-- its part and its verifications brought.
INSERT INTO overlay.corrections BY NAME
WITH changed AS (
    FROM overlay.hidden_samples
    UNION
    SELECT run_key, problem_key, sample FROM overrides
    UNION
    SELECT given.run_key, given.problem_key, given.sample
    FROM stored.verdicts AS given
    SEMI JOIN overlay.hidden_verdicts AS hidden ON given.run_key = hidden.run_key AND given.created = hidden.given
),
signed AS (
    SELECT run_key, problem_key, verdict, tokens, characters, -1 AS sign
    FROM tallied_outcomes SEMI JOIN changed USING (run_key, problem_key, sample)
    UNION ALL
    SELECT run_key, problem_key, verdict, tokens, characters, 1 AS sign
    FROM outcomes SEMI JOIN changed USING (run_key, problem_key, sample)
)
SELECT
    run_key,
    problem_key,
    'samples' AS origin,
    coalesce(sum(sign) FILTER (verdict NOT IN ('unverified', 'error')), 0) AS n,
    coalesce(sum(sign) FILTER (verdict = 'correct'), 0) AS c,
    coalesce(sum(sign) FILTER (verdict IN ('unverified', 'error')), 0) AS unverified,
    coalesce(sum(sign) FILTER (tokens IS NOT NULL), 0) AS tokens_known,
    coalesce(sum(sign * tokens::BIGINT), 0) AS tokens_total,
    coalesce(sum(sign) FILTER (characters IS NOT NULL), 0) AS texts
FROM signed
GROUP BY run_key, problem_key
