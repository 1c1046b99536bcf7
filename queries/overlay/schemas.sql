-- Where the unmerged parts go in memory (`overlay`), where base and parts are seen as one (`whole`), where matched problems
-- are one (`stored`), and where what was taken back is left out (`counted`).
-- A script.
CREATE SCHEMA overlay;
CREATE SCHEMA whole;
CREATE SCHEMA stored;
CREATE SCHEMA counted;
