-- Derives the statistics of all merged samples anew; published counts are primary and stay.
-- A script.
DELETE FROM statistics WHERE origin = 'samples';
INSERT INTO statistics
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
FROM outcomes
GROUP BY run_key, problem_key
ORDER BY run_key, problem_key;
