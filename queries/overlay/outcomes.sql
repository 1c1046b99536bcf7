-- Outcomes with the verdicts that they came with.
-- A script.
CREATE OR REPLACE VIEW outcomes AS FROM stored.outcomes
