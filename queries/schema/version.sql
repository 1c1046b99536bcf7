-- The newest schema version that has been applied to this database.
-- columns: version INTEGER
SELECT max(version)::INTEGER AS version FROM schema_version
