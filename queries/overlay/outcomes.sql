-- Outcomes with the verdicts that they came with.
-- A script.
CREATE OR REPLACE VIEW tallied_outcomes AS FROM stored.outcomes;
CREATE OR REPLACE VIEW outcomes AS SELECT *, false AS overridden FROM counted.outcomes;
