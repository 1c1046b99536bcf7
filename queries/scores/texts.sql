-- Texts of some problems of a run, with how each ended.
-- parameters: run_key UBIGINT, problem_keys UBIGINT[]
-- columns: problem_key UBIGINT, sample INTEGER, finish_reason VARCHAR, text VARCHAR
WITH ended AS (
    SELECT problem_key, sample, finish_reason
    FROM outcomes
    WHERE run_key = $run_key AND list_contains($problem_keys, problem_key)
),
-- Filtered on its own, so that the scan of texts skips every block of other runs and problems.
written AS (
    SELECT problem_key, sample, text FROM texts WHERE run_key = $run_key AND list_contains($problem_keys, problem_key)
)
SELECT problem_key, sample, finish_reason, text
FROM written
JOIN ended USING (problem_key, sample)
ORDER BY problem_key, sample
