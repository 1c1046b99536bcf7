-- The texts to judge of some problems of one run: of samples that a verifier of this version has not judged yet.
-- parameters: run_key UBIGINT, first UBIGINT, last UBIGINT, problems UBIGINT[], verifier VARCHAR, version VARCHAR
-- columns: problem_key UBIGINT, sample INTEGER, verdict VARCHAR, finish_reason VARCHAR, text VARCHAR
WITH wanted AS (
    SELECT problem_key, sample, verdict, finish_reason
    FROM outcomes
    ANTI JOIN (FROM verdicts WHERE run_key = $run_key AND verifier = $verifier AND version = $version) AS judged
        USING (run_key, problem_key, sample)
    WHERE run_key = $run_key AND problem_key BETWEEN $first AND $last
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
