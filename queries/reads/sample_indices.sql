-- The sample indices that a run has of each problem.
-- parameters: run_key UBIGINT
-- columns: problem_key UBIGINT, samples INTEGER[]
SELECT problem_key, list(sample ORDER BY sample) AS samples
FROM outcomes
WHERE run_key = $run_key
GROUP BY problem_key
