-- What counts of a table, in the order of the store: without what was taken back or removed.
-- A script.
-- parameters: target VARCHAR
-- tables: all
COPY (FROM counted.{table}) TO $target (FORMAT parquet, COMPRESSION lz4)
