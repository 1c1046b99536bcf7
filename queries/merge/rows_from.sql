-- Reads every value of the rows from this one on; fails where one cannot be read.
-- parameters: first BIGINT
-- columns: rows BIGINT, digest UBIGINT
-- tables: all
SELECT count(*) AS rows, bit_xor(hash(entry)) AS digest FROM (SELECT * FROM {table} WHERE rowid >= $first) AS entry
