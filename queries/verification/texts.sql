-- The texts to judge of some problems of one run: of samples without a verdict or whose judging failed, or of all.
-- parameters: run_key UBIGINT, first UBIGINT, last UBIGINT, problems UBIGINT[], again BOOLEAN
-- columns: problem_key UBIGINT, sample INTEGER, verdict VARCHAR, finish_reason VARCHAR, text VARCHAR
WITH wanted AS (
    SELECT problem_key, sample, verdict, finish_reason
    FROM outcomes
    WHERE run_key = $run_key
        AND problem_key BETWEEN $first AND $last
        AND ($again OR verdict IN ('unverified', 'error'))
        AND NOT overridden
),
-- Filtered on its own, and by a range, so that the scan skips every block of other runs and problems.
those AS (
    SELECT problem_key, sample, text FROM texts WHERE run_key = $run_key AND problem_key BETWEEN $first AND $last
)
SELECT problem_key, wanted.sample, wanted.verdict, wanted.finish_reason, those.text
FROM wanted
JOIN those USING (problem_key, sample)
WHERE list_contains($problems, problem_key)
ORDER BY problem_key, sample
