-- Moves the texts of one part into base.duckdb.
-- parameters: path VARCHAR
INSERT INTO texts BY NAME FROM read_parquet($path)
