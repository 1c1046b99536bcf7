-- The problems of a run with a sample whose text contains a string, and how many such samples.
-- parameters: run_key UBIGINT, problem_key UBIGINT, sample INTEGER, pattern VARCHAR
-- columns: problem_key UBIGINT, samples BIGINT
SELECT problem_key, count(*) AS samples
FROM texts
WHERE run_key = $run_key
  AND problem_key = coalesce($problem_key, problem_key)
  AND sample = coalesce($sample, sample)
  AND contains(text, $pattern)
GROUP BY problem_key
