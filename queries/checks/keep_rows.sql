-- Copies rows of the attached base into a new one; fails, and copies none, where one of them cannot be read.
-- parameters: first BIGINT, last BIGINT
-- tables: all
INSERT INTO {table} BY NAME SELECT * FROM base.{table} WHERE rowid BETWEEN $first AND $last
