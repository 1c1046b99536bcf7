-- A large table of an older merged database, as it is.
-- A script.
-- tables: all
CREATE VIEW base.{table} AS FROM older.{table}
