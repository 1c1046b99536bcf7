-- Labels of the problems of one benchmark, for suggestions.
-- parameters: benchmark VARCHAR
-- columns: label VARCHAR
SELECT label FROM problems WHERE benchmark = $benchmark ORDER BY position, label
