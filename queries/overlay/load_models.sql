-- Takes the models of one part into memory.
-- parameters: path VARCHAR
INSERT INTO overlay.models BY NAME FROM read_parquet($path)
