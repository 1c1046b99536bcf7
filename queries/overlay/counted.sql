-- The rows of a table that count, while nothing is taken back: all of them.
-- A script.
-- tables: all
CREATE OR REPLACE VIEW counted.{table} AS FROM stored.{table}
