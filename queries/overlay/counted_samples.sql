-- The same without what belongs to samples that are taken back. An index is never given twice, so that a sample's key
-- says which one is meant.
-- A script.
-- tables: outcomes, texts, scores, token_scores, judgements, identities
CREATE OR REPLACE VIEW counted.{table} AS
FROM stored.{table} ANTI JOIN overlay.hidden_samples USING (run_key, problem_key, sample)
