-- Moves the outcomes of one part into base.duckdb.
-- parameters: path VARCHAR
INSERT INTO outcomes BY NAME FROM read_parquet($path)
