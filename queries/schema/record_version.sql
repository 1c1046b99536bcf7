-- Records that a schema version has been applied.
-- parameters: version INTEGER
INSERT INTO schema_version VALUES ($version, now()::TIMESTAMP)
