-- Where the unmerged parts go in memory (`overlay`), and where base and parts are seen as one (`stored`).
-- A script.
CREATE SCHEMA overlay;
CREATE SCHEMA stored;
