-- All rows of a table, while no problem is matched with another: the merged ones and those of the unmerged parts.
-- A script.
-- tables: all
CREATE OR REPLACE VIEW stored.{table} AS
FROM base.{table}
UNION ALL BY NAME SELECT * EXCLUDE (waiting_in) FROM overlay.{table}
