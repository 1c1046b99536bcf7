-- The decisions that are still needed when all that does not count is dropped: of several about one thing the last, none
-- that takes back, removes or withdraws, and none about a sample that is dropped.
-- A script.
-- parameters: target VARCHAR
COPY (
    FROM (
        FROM counted.decisions
        WHERE kind NOT IN ('undo', 'remove')
        QUALIFY kind NOT IN ('run', 'model', 'reference', 'override')
            OR row_number() OVER (
                PARTITION BY kind, CASE WHEN kind = 'model' THEN target END, run_key, problem_key, sample, field
                ORDER BY created DESC, part DESC
            ) = 1
    ) AS lasting
    WHERE kind <> 'override'
        OR (
            value IS NOT NULL
            AND NOT EXISTS (
                FROM overlay.hidden_samples AS hidden
                WHERE hidden.run_key = lasting.run_key
                    AND hidden.problem_key = lasting.problem_key
                    AND hidden.sample = lasting.sample
            )
        )
    ORDER BY created, part, kind, target, run_key, problem_key, sample, field
) TO $target (FORMAT parquet, COMPRESSION lz4)
