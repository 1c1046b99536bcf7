-- The answers given to each problem, most votes first; NULL where no answer was extracted. Verified samples only.
-- parameters: run_key UBIGINT, problem_keys UBIGINT[]
-- columns: problem_key UBIGINT, answer VARCHAR, votes BIGINT, correct BIGINT
SELECT
    problem_key,
    answer,
    count(*) AS votes,
    count(*) FILTER (verdict = 'correct') AS correct
FROM outcomes
WHERE
    run_key = $run_key
    AND verdict NOT IN ('unverified', 'error')
    AND ($problem_keys IS NULL OR problem_key IN (SELECT unnest($problem_keys)))
GROUP BY problem_key, answer
ORDER BY problem_key, answer IS NULL, votes DESC, answer
