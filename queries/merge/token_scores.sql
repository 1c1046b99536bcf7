-- Moves the scores by token of one part into base.duckdb.
-- parameters: path VARCHAR
INSERT INTO token_scores BY NAME FROM read_parquet($path)
