-- The problems of which a file has samples in one run, in its first lines.
-- parameters: run_key UBIGINT, source_key UBIGINT, lines INTEGER
-- columns: problem_key UBIGINT
SELECT DISTINCT problem_key
FROM stored.outcomes
WHERE run_key = $run_key AND source_key = $source_key AND source_row <= $lines
