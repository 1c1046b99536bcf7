-- How many right paths of every problem of some runs are settled, and as what; problems without one are left out.
-- parameters: run_keys UBIGINT[]
-- columns: run_key UBIGINT, problem_key UBIGINT, valid BIGINT, invalid BIGINT, unsure BIGINT
SELECT
    run_key,
    problem_key,
    count(*) FILTER (judgement = 'valid') AS valid,
    count(*) FILTER (judgement = 'invalid') AS invalid,
    count(*) FILTER (judgement = 'unsure') AS unsure
FROM settled_judgements
JOIN outcomes USING (run_key, problem_key, sample)
WHERE list_contains($run_keys, run_key) AND verdict = 'correct'
GROUP BY run_key, problem_key
