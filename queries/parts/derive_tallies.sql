-- The tallies of the outcomes of `outcomes_to_tally`. c counts correct, n all that somebody has judged: not those that are
-- unverified, nor those whose judging failed (error). This is where n and c are defined.
-- A script.
-- parameters: target VARCHAR
COPY (
    SELECT
        run_key,
        problem_key,
        'samples' AS origin,
        count(*) FILTER (verdict NOT IN ('unverified', 'error')) AS n,
        count(*) FILTER (verdict = 'correct') AS c,
        count(*) FILTER (verdict IN ('unverified', 'error')) AS unverified,
        count(tokens) AS tokens_known,
        coalesce(sum(tokens), 0)::BIGINT AS tokens_total,
        count(characters) AS texts
    FROM outcomes_to_tally
    GROUP BY run_key, problem_key
    ORDER BY run_key, problem_key
) TO $target (FORMAT parquet, COMPRESSION zstd)
