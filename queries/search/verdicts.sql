-- The verdicts of some samples of a run, named by two lists of the same length.
-- parameters: run_key UBIGINT, problem_keys UBIGINT[], samples INTEGER[]
-- columns: problem_key UBIGINT, sample INTEGER, verdict VARCHAR
SELECT problem_key, sample, verdict
FROM outcomes
JOIN (SELECT unnest($problem_keys) AS problem_key, unnest($samples) AS sample) USING (problem_key, sample)
WHERE run_key = $run_key
