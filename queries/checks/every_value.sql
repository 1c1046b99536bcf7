-- Reads every value of a file; fails where one cannot be read.
-- parameters: path VARCHAR
-- columns: rows BIGINT, digest UBIGINT
SELECT count(*) AS rows, bit_xor(hash(entry)) AS digest FROM read_parquet($path) AS entry
