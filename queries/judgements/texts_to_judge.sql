-- Texts of some problems of a run with what was asked, as a judge reads them.
-- parameters: run_key UBIGINT, problem_keys UBIGINT[]
-- columns: problem_key UBIGINT, sample INTEGER, statement VARCHAR, reference VARCHAR, text VARCHAR
-- Filtered on its own, so that the scan of texts skips every block of other runs and problems.
WITH written AS (
    SELECT problem_key, sample, text FROM texts WHERE run_key = $run_key AND list_contains($problem_keys, problem_key)
)
SELECT problem_key, sample, problems.statement, problems.reference, text
FROM written
JOIN problems USING (problem_key)
ORDER BY problem_key, sample
