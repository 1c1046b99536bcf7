-- Moves the statistics of one part into base.duckdb.
-- parameters: path VARCHAR
INSERT INTO statistics BY NAME FROM read_parquet($path)
