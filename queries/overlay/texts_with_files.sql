-- Texts while parts wait: the merged ones and the parts' files.
-- A script.
-- files: texts
CREATE OR REPLACE VIEW texts AS
FROM base.texts
UNION ALL FROM read_parquet([{texts}])
