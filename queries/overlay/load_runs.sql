-- Takes the runs of one part into memory.
-- parameters: path VARCHAR
INSERT INTO overlay.runs BY NAME FROM read_parquet($path)
