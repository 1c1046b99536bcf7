-- Reads every value of the files of a part, whatever their table is; fails where one cannot be read.
-- columns: rows BIGINT, digest UBIGINT
-- files: texts
SELECT count(*) AS rows, bit_xor(hash(entry)) AS digest FROM read_parquet([{texts}]) AS entry
