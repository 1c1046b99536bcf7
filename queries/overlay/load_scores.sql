-- Takes the scores of one part into memory.
-- parameters: path VARCHAR, part VARCHAR
INSERT INTO overlay.scores BY NAME SELECT *, $part AS part FROM read_parquet($path)
