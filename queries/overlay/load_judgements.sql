-- Takes the judgements of one part into memory.
-- parameters: path VARCHAR, part VARCHAR
INSERT INTO overlay.judgements BY NAME SELECT *, $part AS part FROM read_parquet($path)
