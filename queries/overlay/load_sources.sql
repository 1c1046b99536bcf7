-- Takes the sources of one part into memory.
-- parameters: path VARCHAR
INSERT INTO overlay.sources BY NAME FROM read_parquet($path)
