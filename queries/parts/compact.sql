-- The rows of several parts in one sorted file of the part that supersedes them.
-- A script.
-- parameters: target VARCHAR, row_group INTEGER
-- files: paths
-- tables: outcomes, texts, verdicts, scores, token_scores, judgements
COPY (
    FROM read_parquet([{paths}], union_by_name = true)
    ORDER BY run_key, problem_key, sample
) TO $target (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE $row_group)
