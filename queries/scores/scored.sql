-- Which texts of these runs (0: reference responses) have a score under a model in a precision.
-- parameters: run_keys UBIGINT[], scorer VARCHAR, dtype VARCHAR
-- columns: run_key UBIGINT, problem_key UBIGINT, samples INTEGER[], unfitting INTEGER[]
SELECT
    run_key,
    problem_key,
    list(sample) AS samples,
    coalesce(list(sample) FILTER (logprob_sum IS NULL), []) AS unfitting
FROM scores
WHERE scorer = $scorer AND dtype = $dtype AND list_contains($run_keys, run_key)
GROUP BY run_key, problem_key
