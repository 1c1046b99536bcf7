-- Moves the runs of one part into base.duckdb.
-- parameters: path VARCHAR
INSERT INTO runs BY NAME FROM read_parquet($path)
