-- Moves the benchmarks of one part into base.duckdb.
-- parameters: path VARCHAR
INSERT INTO benchmarks BY NAME FROM read_parquet($path)
