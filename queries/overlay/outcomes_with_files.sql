-- Outcomes while a large part waits: the merged ones, those of small parts in memory, and the large part's file.
-- A script.
-- files: outcomes
CREATE OR REPLACE VIEW first_outcomes AS
FROM base.outcomes
UNION ALL SELECT * EXCLUDE (part) FROM overlay.outcomes
UNION ALL FROM read_parquet([{outcomes}]);

CREATE OR REPLACE VIEW outcomes AS FROM first_outcomes
