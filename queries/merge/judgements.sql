-- Moves the judgements of one part into base.duckdb.
-- parameters: path VARCHAR
INSERT INTO judgements BY NAME FROM read_parquet($path)
