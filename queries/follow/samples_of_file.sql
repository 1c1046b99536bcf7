-- Which sample each row of a file became in one run, in the order of the file.
-- parameters: run_key UBIGINT, source_key UBIGINT
-- columns: problem_key UBIGINT, source_row INTEGER, samples INTEGER[]
SELECT problem_key, coalesce(source_row, 0) AS source_row, list(sample ORDER BY sample) AS samples
FROM stored.outcomes
WHERE run_key = $run_key AND source_key = $source_key
GROUP BY problem_key, source_row
