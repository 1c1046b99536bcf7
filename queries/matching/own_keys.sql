-- Under which keys a run's rows of matched problems were written, the one with most samples first, where it is not the
-- one that they are read under.
-- parameters: run_key UBIGINT
-- columns: problem_key UBIGINT, own_keys UBIGINT[]
WITH of_run AS (
    SELECT
        coalesce(matched.to_key, written.problem_key) AS problem_key,
        written.problem_key AS own_key,
        sum(written.n + written.unverified) AS samples
    FROM whole.statistics AS written
    LEFT JOIN overlay.matched AS matched ON written.problem_key = matched.problem_key
    WHERE written.run_key = $run_key
    GROUP BY ALL
)
SELECT problem_key, list(own_key ORDER BY samples DESC, own_key) AS own_keys
FROM of_run
GROUP BY problem_key
HAVING bool_or(own_key <> problem_key)
