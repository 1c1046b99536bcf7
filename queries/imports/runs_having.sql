-- The runs that have some problems, the one with most of them first, base runs before others.
-- parameters: keys UBIGINT[]
-- columns: run VARCHAR
SELECT runs.run
FROM tallies
JOIN runs USING (run_key)
JOIN models USING (model)
WHERE tallies.problem_key IN (SELECT unnest($keys))
GROUP BY runs.run, models.role
ORDER BY count(*) DESC, models.role IS DISTINCT FROM 'base', runs.run
