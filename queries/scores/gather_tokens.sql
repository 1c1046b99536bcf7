-- The scores by token of several parts in one sorted file of the part that supersedes them.
-- A script.
-- parameters: target VARCHAR
-- files: token_scores
COPY (
    FROM read_parquet([{token_scores}])
    ORDER BY run_key, problem_key, sample, scorer
) TO $target (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 2048)
