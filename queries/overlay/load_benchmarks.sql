-- Takes the benchmarks of one part into memory.
-- parameters: path VARCHAR
INSERT INTO overlay.benchmarks BY NAME FROM read_parquet($path)
