-- Outcomes: the merged ones and those of small parts in memory.
-- A script.
CREATE OR REPLACE VIEW outcomes AS
FROM base.outcomes
UNION ALL SELECT * EXCLUDE (part) FROM overlay.outcomes
