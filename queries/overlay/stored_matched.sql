-- All rows of a table with the key of the problem that theirs is matched with.
-- A script.
-- tables: problems, outcomes, statistics, verdicts, scores, judgements, prompts, identities, decisions
CREATE OR REPLACE VIEW stored.{table} AS
SELECT written.* REPLACE (coalesce(matched.to_key, written.problem_key) AS problem_key)
FROM whole.{table} AS written
LEFT JOIN overlay.matched AS matched ON written.problem_key = matched.problem_key
