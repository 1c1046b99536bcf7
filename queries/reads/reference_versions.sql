-- Every reference answer that a problem of a benchmark came with or was given, the oldest first, and the one that counts.
-- parameters: benchmark VARCHAR
-- columns: problem_key UBIGINT, label VARCHAR, reference VARCHAR, part VARCHAR, author VARCHAR, created TIMESTAMP
-- columns: counts BOOLEAN
WITH said AS (
    SELECT problem_key, reference, part, NULL::VARCHAR AS author, NULL::TIMESTAMP AS created
    FROM counted.problems
    WHERE reference IS NOT NULL
    UNION ALL
    SELECT problem_key, value AS reference, part, author, created
    FROM decisions
    WHERE kind = 'reference'
),
versions AS (
    SELECT
        problem_key,
        reference,
        min(part) AS part,
        arg_min(author, part) AS author,
        min(created) AS created
    FROM said
    GROUP BY problem_key, reference
)
SELECT
    problem_key,
    problems.label,
    versions.reference,
    versions.part,
    versions.author,
    versions.created,
    versions.reference = problems.reference AS counts
FROM versions
JOIN problems USING (problem_key)
WHERE problems.benchmark = $benchmark
ORDER BY problems.position, problems.label, versions.part
