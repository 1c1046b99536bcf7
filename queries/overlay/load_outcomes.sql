-- Takes the outcomes of one part into memory.
-- parameters: path VARCHAR, part VARCHAR
INSERT INTO overlay.outcomes BY NAME SELECT *, $part AS part FROM read_parquet($path)
