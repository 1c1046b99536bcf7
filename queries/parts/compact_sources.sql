-- The sources of several parts, each once: attempts of one job may have had other versions of engine or verifier.
-- A script.
-- parameters: target VARCHAR
-- files: sources
COPY (
    SELECT DISTINCT ON (source_key) * FROM read_parquet([{sources}]) ORDER BY source_key
) TO $target (FORMAT parquet, COMPRESSION zstd)
