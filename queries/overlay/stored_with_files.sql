-- All rows of a table while parts wait that are too large for memory: those of their files too.
-- A script.
-- files: paths
-- tables: all
CREATE OR REPLACE VIEW stored.{table} AS
FROM base.{table}
UNION ALL BY NAME SELECT * EXCLUDE (waiting_in) FROM overlay.{table}
UNION ALL BY NAME FROM read_parquet([{paths}], union_by_name = true)
