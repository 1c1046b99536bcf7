-- The scores of several parts in one sorted file of the part that supersedes them.
-- A script.
-- parameters: target VARCHAR
-- files: scores
COPY (
    FROM read_parquet([{scores}])
    ORDER BY run_key, problem_key, sample, scorer
) TO $target (FORMAT parquet, COMPRESSION zstd)
