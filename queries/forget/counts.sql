-- The published counts that count.
-- A script.
-- parameters: target VARCHAR
COPY (
    FROM stored.statistics AS counts
    ANTI JOIN overlay.hidden_counts AS hidden
        ON counts.run_key = hidden.run_key AND counts.part IS NOT DISTINCT FROM hidden.part
    WHERE counts.origin = 'counts'
) TO $target (FORMAT parquet, COMPRESSION lz4)
