-- The tables of the attached base.
-- columns: table_name VARCHAR
SELECT table_name FROM duckdb_tables() WHERE database_name = 'base'
