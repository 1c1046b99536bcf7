-- Every verdict on one sample: the one it came with, then those beside it, in the order in which they were given. What a
-- person said instead goes before all of them; a verdict of NULL withdraws it.
-- parameters: run_key UBIGINT, problem_key UBIGINT, sample INTEGER
-- columns: verifier VARCHAR, version VARCHAR, verdict VARCHAR, answer VARCHAR, detail VARCHAR, used BOOLEAN
-- columns: created TIMESTAMP, by_person BOOLEAN, counts_without BOOLEAN
WITH beside AS (
    FROM verdicts WHERE run_key = $run_key AND problem_key = $problem_key AND sample = $sample
),
said AS (
    FROM decisions
    WHERE kind = 'override' AND run_key = $run_key AND problem_key = $problem_key AND sample = $sample
),
standing AS (
    FROM overrides WHERE run_key = $run_key AND problem_key = $problem_key AND sample = $sample
)
SELECT NULL::VARCHAR AS verifier, NULL::VARCHAR AS version, verdict, answer, detail,
    NOT EXISTS (FROM beside WHERE used) AND NOT EXISTS (FROM standing) AS used, NULL::TIMESTAMP AS created,
    false AS by_person, NOT EXISTS (FROM beside WHERE used) AS counts_without
FROM counted.outcomes
WHERE run_key = $run_key AND problem_key = $problem_key AND sample = $sample
UNION ALL
SELECT verifier, version, verdict, answer, detail,
    used AND NOT EXISTS (FROM standing) AND created = (SELECT max(created) FROM beside WHERE used) AS used, created,
    false AS by_person, used AND created = (SELECT max(created) FROM beside WHERE used) AS counts_without
FROM beside
UNION ALL
SELECT author, NULL, value, NULL, reason,
    value IS NOT NULL AND created = (SELECT max(created) FROM said) AS used, created, true AS by_person,
    false AS counts_without
FROM said
ORDER BY created NULLS FIRST
