-- Under which of a run's own keys a sample was written, where several of them are read as one problem.
-- parameters: run_key UBIGINT, keys UBIGINT[], sample INTEGER
-- columns: problem_key UBIGINT
SELECT problem_key
FROM whole.outcomes
WHERE run_key = $run_key AND sample = $sample AND list_contains($keys, problem_key)
