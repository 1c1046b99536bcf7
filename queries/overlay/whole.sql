-- All rows of a table as they were written: the merged ones and those of the unmerged parts.
-- A script.
-- tables: all
CREATE OR REPLACE VIEW whole.{table} AS
FROM base.{table}
UNION ALL BY NAME SELECT * EXCLUDE (waiting_in) FROM overlay.{table}
