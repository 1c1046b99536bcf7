-- The runs and problems that count: a problem that only a part that is taken back describes stays as long as a run has
-- samples of it.
-- A script.
CREATE OR REPLACE VIEW counted.runs AS
FROM stored.runs
ANTI JOIN overlay.hidden_parts USING (part)
WHERE run_key NOT IN (SELECT run_key FROM overlay.removed_runs)
    OR run_key IN (SELECT run_key FROM counted.statistics);

CREATE OR REPLACE VIEW counted.problems AS
WITH standing AS (
    FROM stored.problems ANTI JOIN overlay.hidden_parts USING (part)
)
FROM standing
UNION ALL
FROM stored.problems
SEMI JOIN overlay.hidden_parts USING (part)
WHERE problem_key IN (SELECT problem_key FROM counted.statistics)
    AND problem_key NOT IN (SELECT problem_key FROM standing);
