-- Moves the rows that one part brings of a table into base.duckdb.
-- parameters: path VARCHAR
-- tables: all
INSERT INTO {table} BY NAME FROM read_parquet($path)
