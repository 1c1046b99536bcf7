-- Reads every value of a table of the attached base; fails where one cannot be read.
-- columns: rows BIGINT, digest UBIGINT
-- tables: all
SELECT count(*) AS rows, bit_xor(hash(entry)) AS digest FROM base.{table} AS entry
