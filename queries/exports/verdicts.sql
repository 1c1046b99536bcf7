-- Verdicts beside the one that counts, of some problems' samples. Where a person has overridden a verdict, what they said,
-- and what the sample came with.
-- parameters: run_key UBIGINT, problem_keys UBIGINT[]
-- columns: problem_key UBIGINT, sample INTEGER, verifier VARCHAR, version VARCHAR, verdict VARCHAR, detail VARCHAR
-- columns: answer VARCHAR, used BOOLEAN, created TIMESTAMP
WITH wanted AS (
    SELECT unnest($problem_keys) AS problem_key
),
by_hand AS (
    FROM overrides SEMI JOIN wanted USING (problem_key) WHERE run_key = $run_key
)
SELECT problem_key, sample, verifier, version, verdict, detail, answer, used, created
FROM (
    SELECT
        problem_key,
        sample,
        verifier,
        version,
        verdict,
        detail,
        answer,
        used AND (problem_key, sample) NOT IN (SELECT (problem_key, sample) FROM by_hand) AS used,
        created
    FROM verdicts
    SEMI JOIN wanted USING (problem_key)
    WHERE run_key = $run_key
    UNION ALL
    SELECT problem_key, sample, 'imported', NULL, verdict, detail, answer, false, NULL
    FROM counted.outcomes
    SEMI JOIN by_hand USING (problem_key, sample)
    WHERE run_key = $run_key
    UNION ALL
    SELECT problem_key, sample, 'overridden by ' || author, NULL, verdict, reason, NULL, true, created
    FROM by_hand
)
ORDER BY problem_key, sample, created NULLS FIRST, verifier, version, verdict
