-- Which runs would have two of their problems made one if the matches of a part counted beside those that count: by another
-- match, not because samples came to both while this one counted.
-- parameters: part VARCHAR
-- columns: run VARCHAR, pairs BIGINT
WITH joined AS (
    SELECT
        matches.problem_key,
        matches.to_key,
        coalesce(one.to_key, matches.problem_key) AS first_key,
        coalesce(other.to_key, matches.to_key) AS second_key
    FROM stored.matches AS matches
    LEFT JOIN overlay.matched AS one ON matches.problem_key = one.problem_key
    LEFT JOIN overlay.matched AS other ON matches.to_key = other.problem_key
    WHERE matches.part = $part
),
counted_here AS (
    SELECT DISTINCT run_key, problem_key FROM stored.statistics
),
written AS (
    SELECT DISTINCT run_key, problem_key FROM whole.statistics
)
SELECT names.run, count(DISTINCT (joined.problem_key, joined.to_key)) AS pairs
FROM joined
JOIN counted_here AS one ON joined.first_key = one.problem_key
JOIN counted_here AS other ON joined.second_key = other.problem_key AND one.run_key = other.run_key
JOIN stored.runs AS names ON one.run_key = names.run_key
ANTI JOIN (
    SELECT mine.run_key, mine.problem_key, theirs.problem_key AS to_key
    FROM written AS mine
    JOIN written AS theirs ON mine.run_key = theirs.run_key
    SEMI JOIN joined ON mine.problem_key = joined.problem_key AND theirs.problem_key = joined.to_key
) AS native
    ON one.run_key = native.run_key AND joined.problem_key = native.problem_key AND joined.to_key = native.to_key
WHERE joined.first_key <> joined.second_key
GROUP BY names.run
ORDER BY names.run
