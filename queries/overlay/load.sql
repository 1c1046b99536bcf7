-- Takes the rows that one part brings of a table into memory.
-- parameters: path VARCHAR, part VARCHAR
-- tables: all
INSERT INTO overlay.{table} BY NAME SELECT *, $part AS waiting_in FROM read_parquet($path)
