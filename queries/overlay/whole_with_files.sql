-- The same while parts wait that are too large for memory.
-- A script.
-- files: paths
-- tables: problems, outcomes, texts, statistics, verdicts, scores, token_scores, judgements, prompts, identities, decisions
CREATE OR REPLACE VIEW whole.{table} AS
FROM base.{table}
UNION ALL BY NAME SELECT * EXCLUDE (waiting_in) FROM overlay.{table}
UNION ALL BY NAME FROM read_parquet([{paths}], union_by_name = true)
