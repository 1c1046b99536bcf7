-- Pairs of problems that a run has both of: they are two.
-- parameters: firsts UBIGINT[], seconds UBIGINT[]
-- columns: first_key UBIGINT, second_key UBIGINT, run VARCHAR
WITH pairs AS (
    SELECT unnest($firsts) AS first_key, unnest($seconds) AS second_key
)
SELECT pairs.first_key, pairs.second_key, min(names.run) AS run
FROM pairs
JOIN (SELECT DISTINCT run_key, problem_key FROM stored.statistics) AS one ON pairs.first_key = one.problem_key
JOIN (SELECT DISTINCT run_key, problem_key FROM stored.statistics) AS other
    ON pairs.second_key = other.problem_key AND one.run_key = other.run_key
JOIN stored.runs AS names ON one.run_key = names.run_key
GROUP BY pairs.first_key, pairs.second_key
