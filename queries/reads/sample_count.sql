-- How many samples of one run and problem there are, optionally of one verdict only.
-- parameters: run_key UBIGINT, problem_key UBIGINT, verdict VARCHAR
-- columns: samples BIGINT
SELECT count(*) AS samples
FROM outcomes
WHERE run_key = $run_key AND problem_key = $problem_key AND ($verdict IS NULL OR verdict = $verdict)
