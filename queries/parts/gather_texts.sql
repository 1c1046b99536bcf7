-- The texts of several parts in one sorted file of the part that supersedes them.
-- A script.
-- parameters: target VARCHAR
-- files: texts
COPY (
    FROM read_parquet([{texts}])
    ORDER BY run_key, problem_key, sample
) TO $target (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 4096)
