-- Takes the problems of one part into memory.
-- parameters: path VARCHAR
INSERT INTO overlay.problems BY NAME FROM read_parquet($path)
