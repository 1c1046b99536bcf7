-- The same as they were written, whatever is matched.
-- A script.
-- tables: problems, outcomes, texts, statistics, verdicts, scores, token_scores, judgements, prompts, identities, decisions
CREATE OR REPLACE VIEW whole.{table} AS
FROM base.{table}
UNION ALL BY NAME SELECT * EXCLUDE (waiting_in) FROM overlay.{table}
