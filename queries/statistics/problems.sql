-- The problems of one benchmark as filters look at them; statements only where a filter reads them.
-- parameters: benchmark VARCHAR, with_statements BOOLEAN
-- columns: problem_key UBIGINT, label VARCHAR, level VARCHAR, metadata VARCHAR, statement VARCHAR
SELECT
    problem_key,
    label,
    level,
    metadata,
    CASE WHEN $with_statements THEN statement END AS statement
FROM problems
WHERE benchmark = $benchmark
ORDER BY position, label
