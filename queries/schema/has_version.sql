-- Whether the attached or opened database holds a store at all.
-- parameters: catalog VARCHAR
-- columns: tables BIGINT
SELECT count(*) AS tables
FROM duckdb_tables()
WHERE database_name = $catalog AND table_name = 'schema_version'
