-- The id of the last row of a table.
-- columns: last BIGINT
-- tables: all
SELECT coalesce(max(rowid), 0) AS last FROM {table}
