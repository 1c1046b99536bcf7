-- The statistics of one part from its outcomes, written beside them. c counts correct, n all but unverified.
-- A script.
-- parameters: target VARCHAR
-- files: outcomes
COPY (
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
    FROM read_parquet([{outcomes}])
    GROUP BY run_key, problem_key
    ORDER BY run_key, problem_key
) TO $target (FORMAT parquet, COMPRESSION zstd)
