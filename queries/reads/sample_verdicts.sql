-- The sample indices that a run has of each problem, by verdict.
-- parameters: run_key UBIGINT
-- columns: problem_key UBIGINT, verdict VARCHAR, samples INTEGER[]
SELECT problem_key, verdict, list(sample ORDER BY sample) AS samples
FROM outcomes
WHERE run_key = $run_key
GROUP BY problem_key, verdict
