-- Moves the sources of one part into base.duckdb.
-- parameters: path VARCHAR
INSERT INTO sources BY NAME FROM read_parquet($path)
