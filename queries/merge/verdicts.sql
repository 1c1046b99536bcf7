-- Moves the verdicts beside the first of one part into base.duckdb.
-- parameters: path VARCHAR
INSERT INTO verdicts BY NAME FROM read_parquet($path)
