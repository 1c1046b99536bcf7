-- The source files of all samples, and the importer that read each.
-- columns: source_key UBIGINT, path VARCHAR, format VARCHAR
SELECT source_key, path, format FROM sources
