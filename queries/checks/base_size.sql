-- How many rows a table of the attached base has, and one more than the last row's id; reads none of them.
-- columns: rows BIGINT, ends BIGINT
-- tables: all
SELECT count(*) AS rows, coalesce(max(rowid), -1) + 1 AS ends FROM base.{table}
