-- The samples of a run whose text matches a regular expression (RE2); optionally of one verdict.
-- parameters: run_key UBIGINT, verdict VARCHAR, pattern VARCHAR
-- columns: problem_key UBIGINT, sample INTEGER
SELECT problem_key, sample
FROM texts
JOIN outcomes USING (run_key, problem_key, sample)
WHERE run_key = $run_key AND ($verdict IS NULL OR verdict = $verdict) AND regexp_matches(text, $pattern)
