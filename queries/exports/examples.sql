-- Of one run and problem: the first right sample whose text is stored, and the first of the others that has a verdict.
-- parameters: run_key UBIGINT, problem_key UBIGINT
-- columns: is_right BOOLEAN, sample INTEGER
SELECT verdict = 'correct' AS is_right, min(sample) AS sample
FROM outcomes
WHERE
    run_key = $run_key
    AND problem_key = $problem_key
    AND characters IS NOT NULL
    AND verdict NOT IN ('unverified', 'error')
GROUP BY is_right
