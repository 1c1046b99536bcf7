-- Moves the problems of one part into base.duckdb.
-- parameters: path VARCHAR
INSERT INTO problems BY NAME FROM read_parquet($path)
