-- Every verdict on one sample: the one it came with, then those beside it, in the order in which they were given.
-- parameters: run_key UBIGINT, problem_key UBIGINT, sample INTEGER
-- columns: verifier VARCHAR, version VARCHAR, verdict VARCHAR, answer VARCHAR, detail VARCHAR, used BOOLEAN
-- columns: created TIMESTAMP
WITH beside AS (
    FROM verdicts WHERE run_key = $run_key AND problem_key = $problem_key AND sample = $sample
)
SELECT NULL::VARCHAR AS verifier, NULL::VARCHAR AS version, verdict, answer, detail,
    NOT EXISTS (FROM beside WHERE used) AS used, NULL::TIMESTAMP AS created
FROM stored.outcomes
WHERE run_key = $run_key AND problem_key = $problem_key AND sample = $sample
UNION ALL
SELECT verifier, version, verdict, answer, detail,
    used AND created = (SELECT max(created) FROM beside WHERE used) AS used, created
FROM beside
ORDER BY created NULLS FIRST
