-- The same of tables whose rows are long and mostly read one by one: in two halves, so that whoever asks for one problem
-- finds its blocks without reading those of the whole run.
-- A script.
-- tables: texts, token_scores
CREATE OR REPLACE VIEW stored.{table} AS
SELECT written.*
FROM whole.{table} AS written
ANTI JOIN overlay.matched USING (problem_key)
UNION ALL BY NAME
SELECT written.* REPLACE (matched.to_key AS problem_key)
FROM whole.{table} AS written
JOIN overlay.matched AS matched ON written.problem_key = matched.problem_key
