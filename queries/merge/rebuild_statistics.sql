-- Derives the statistics of all merged samples anew, by the verdicts that count; published counts are primary and stay.
-- A script.
DELETE FROM statistics WHERE origin = 'samples';
INSERT INTO statistics
WITH used AS (
    SELECT run_key, problem_key, sample, arg_max(verdict, created) AS verdict
    FROM verdicts
    WHERE used
    GROUP BY run_key, problem_key, sample
),
judged AS (
    SELECT
        outcomes.run_key,
        outcomes.problem_key,
        coalesce(used.verdict, outcomes.verdict) AS verdict,
        outcomes.tokens,
        outcomes.characters
    FROM outcomes
    LEFT JOIN used USING (run_key, problem_key, sample)
)
SELECT
    run_key,
    problem_key,
    'samples' AS origin,
    count(*) FILTER (verdict <> 'unverified') AS n,
    count(*) FILTER (verdict = 'correct') AS c,
    count(*) FILTER (verdict = 'unverified') AS unverified,
    count(tokens) AS tokens_known,
    coalesce(sum(tokens), 0)::BIGINT AS tokens_total,
    count(characters) AS texts
FROM judged
GROUP BY run_key, problem_key
ORDER BY run_key, problem_key;
