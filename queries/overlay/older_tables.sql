-- The tables that an older merged database has.
-- columns: table_name VARCHAR
SELECT table_name FROM duckdb_tables() WHERE database_name = 'older'
