-- Moves the models of one part into base.duckdb.
-- parameters: path VARCHAR
INSERT INTO models BY NAME FROM read_parquet($path)
