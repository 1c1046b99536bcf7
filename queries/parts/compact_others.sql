-- The rows of several parts as they are, of a table that is neither of samples nor of what parts say again: published counts.
-- A script.
-- parameters: target VARCHAR
-- files: counts
COPY (FROM read_parquet([{counts}], union_by_name = true)) TO $target (FORMAT parquet, COMPRESSION zstd)
