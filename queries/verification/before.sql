-- The verdict that counted for each sample of some problems of a run before a moment, where another counts since.
-- parameters: run_key UBIGINT, problem_keys UBIGINT[], since TIMESTAMP
-- columns: problem_key UBIGINT, sample INTEGER, counting VARCHAR, verifier VARCHAR, version VARCHAR, verdict VARCHAR
-- columns: answer VARCHAR, detail VARCHAR
WITH given AS (
    SELECT
        problem_key,
        sample,
        max(created) AS newest,
        arg_max(
            {'verifier': verifier, 'version': version, 'verdict': verdict, 'answer': answer, 'detail': detail}, created
        ) FILTER (created < $since) AS last
    FROM verdicts
    WHERE run_key = $run_key AND used AND list_contains($problem_keys, problem_key)
    GROUP BY problem_key, sample
),
came AS (
    FROM counted.outcomes WHERE run_key = $run_key AND list_contains($problem_keys, problem_key)
)
SELECT
    problem_key,
    sample,
    outcomes.verdict AS counting,
    CASE WHEN given.last IS NULL THEN 'imported' ELSE given.last.verifier END AS verifier,
    given.last.version,
    CASE WHEN given.last IS NULL THEN came.verdict ELSE given.last.verdict END AS verdict,
    CASE WHEN given.last IS NULL THEN came.answer ELSE given.last.answer END AS answer,
    CASE WHEN given.last IS NULL THEN came.detail ELSE given.last.detail END AS detail
FROM given
JOIN came USING (problem_key, sample)
JOIN outcomes USING (problem_key, sample)
WHERE given.newest >= $since AND outcomes.run_key = $run_key AND NOT outcomes.overridden
ORDER BY problem_key, sample
