-- The problems of two runs, with what may tell that two are one: id, reference, statement, and the prompts they were given.
-- parameters: first UBIGINT, second UBIGINT
-- columns: problem_key UBIGINT, label VARCHAR, id VARCHAR, reference VARCHAR, statement VARCHAR
-- columns: of_first BOOLEAN, of_second BOOLEAN, first_prompt VARCHAR, second_prompt VARCHAR
WITH asked AS (
    SELECT problem_key, bool_or(run_key = $first) AS of_first, bool_or(run_key = $second) AS of_second
    FROM tallies
    WHERE run_key IN ($first, $second)
    GROUP BY problem_key
),
given AS (
    SELECT
        problem_key,
        any_value(prompt) FILTER (run_key = $first) AS first_prompt,
        any_value(prompt) FILTER (run_key = $second) AS second_prompt
    FROM prompts
    WHERE run_key IN ($first, $second)
    GROUP BY problem_key
)
SELECT
    problem_key,
    problems.label,
    problems.id,
    problems.reference,
    problems.statement,
    asked.of_first,
    asked.of_second,
    given.first_prompt,
    given.second_prompt
FROM asked
JOIN problems USING (problem_key)
LEFT JOIN given USING (problem_key)
ORDER BY problems.position, asked.of_second, problems.label
