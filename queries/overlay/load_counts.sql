-- Takes the published counts of one part into memory.
-- parameters: path VARCHAR, part VARCHAR
INSERT INTO overlay.statistics BY NAME SELECT *, $part AS part FROM read_parquet($path)
