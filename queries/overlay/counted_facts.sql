-- The same without the rows of parts that are taken back.
-- A script.
-- tables: models, sources, benchmarks, prompts, decisions, matches
CREATE OR REPLACE VIEW counted.{table} AS
FROM stored.{table} ANTI JOIN overlay.hidden_parts USING (part)
