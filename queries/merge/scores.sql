-- Moves the scores of one part into base.duckdb.
-- parameters: path VARCHAR
INSERT INTO scores BY NAME FROM read_parquet($path)
