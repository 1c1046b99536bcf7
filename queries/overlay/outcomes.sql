-- Outcomes: the merged ones and those of small parts in memory, with the verdicts that they came with.
-- A script.
CREATE OR REPLACE VIEW first_outcomes AS
FROM base.outcomes
UNION ALL SELECT * EXCLUDE (part) FROM overlay.outcomes;

CREATE OR REPLACE VIEW outcomes AS FROM first_outcomes
