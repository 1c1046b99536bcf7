-- A small table of an older merged database, copied.
-- A script.
-- tables: all
CREATE TABLE base.{table} AS FROM older.{table}
