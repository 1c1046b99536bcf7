-- Judgements without those that their author has withdrawn or said otherwise since; what was noted with one stays.
-- A script.
-- parameters: target VARCHAR
COPY (
    SELECT * EXCLUDE (lasts) REPLACE (CASE WHEN lasts THEN judgement END AS judgement)
    FROM (
        SELECT
            *,
            version IS NOT NULL OR (
                judgement IS NOT NULL
                AND judgement <> 'withdrawn'
                AND created = max(created) FILTER (judgement IS NOT NULL)
                    OVER (PARTITION BY run_key, problem_key, sample, author, version)
            ) AS lasts
        FROM counted.judgements
    )
    WHERE lasts OR note IS NOT NULL
) TO $target (FORMAT parquet, COMPRESSION lz4)
