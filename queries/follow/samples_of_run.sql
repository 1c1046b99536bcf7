-- The sample indices of a run that are taken, problem by problem.
-- parameters: run_key UBIGINT
-- columns: problem_key UBIGINT, samples INTEGER[]
SELECT problem_key, list(sample) AS samples FROM stored.outcomes WHERE run_key = $run_key GROUP BY problem_key
