-- Fails where a part's file has not the columns of its table; takes no rows.
-- parameters: path VARCHAR
-- tables: all
INSERT INTO {table} BY NAME SELECT * FROM read_parquet($path) LIMIT 0
