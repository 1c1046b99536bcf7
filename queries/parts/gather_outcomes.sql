-- The outcomes of several parts in one sorted file of the part that supersedes them.
-- A script.
-- parameters: target VARCHAR
-- files: outcomes
COPY (
    FROM read_parquet([{outcomes}])
    ORDER BY run_key, problem_key, sample
) TO $target (FORMAT parquet, COMPRESSION zstd)
