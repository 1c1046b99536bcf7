-- The last verdict that one verifier, filter or scorer gave to each sample of a run, and the one that counts now.
-- 'imported' stands for the verdicts that the samples came with.
-- parameters: run_key UBIGINT, verifier VARCHAR
-- columns: problem_key UBIGINT, sample INTEGER, before VARCHAR, version VARCHAR, verdict VARCHAR, answer VARCHAR
-- columns: detail VARCHAR
WITH given AS (
    SELECT problem_key, sample,
        arg_max({'version': version, 'verdict': verdict, 'answer': answer, 'detail': detail}, created) AS last
    FROM verdicts
    WHERE run_key = $run_key AND verifier = $verifier AND verifier <> 'imported'
    GROUP BY problem_key, sample
    UNION ALL
    SELECT problem_key, sample,
        {'version': NULL::VARCHAR, 'verdict': verdict, 'answer': answer, 'detail': detail} AS last
    FROM counted.outcomes
    WHERE run_key = $run_key AND $verifier = 'imported'
),
counting AS (
    SELECT problem_key, sample, verdict FROM outcomes WHERE run_key = $run_key AND NOT overridden
)
SELECT problem_key, sample, counting.verdict AS before,
    given.last.version, given.last.verdict, given.last.answer, given.last.detail
FROM given
JOIN counting USING (problem_key, sample)
ORDER BY problem_key, sample
