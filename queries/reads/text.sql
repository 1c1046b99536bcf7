-- The exact text of one sample.
-- parameters: run_key UBIGINT, problem_key UBIGINT, sample INTEGER
-- columns: text VARCHAR
SELECT text
FROM texts
WHERE run_key = $run_key AND problem_key = $problem_key AND sample = $sample
