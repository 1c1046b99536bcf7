-- All rows of a table, while no problem is matched with another: as they were written.
-- A script.
-- tables: all
CREATE OR REPLACE VIEW stored.{table} AS FROM whole.{table}
