-- Which of some problems a run has samples of with a stored text.
-- parameters: run_key UBIGINT, problem_keys UBIGINT[]
-- columns: problem_key UBIGINT
SELECT DISTINCT problem_key
FROM outcomes
WHERE run_key = $run_key AND list_contains($problem_keys, problem_key) AND characters IS NOT NULL
ORDER BY problem_key
