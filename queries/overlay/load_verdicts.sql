-- Takes the verdicts beside the first of one part into memory.
-- parameters: path VARCHAR, part VARCHAR
INSERT INTO overlay.verdicts BY NAME SELECT *, $part AS part FROM read_parquet($path)
