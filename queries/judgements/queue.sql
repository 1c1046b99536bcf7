-- The right paths of the hardest solvable problems of some runs, 0 < c/n < rate: what the paper's authors read by hand.
-- By problem, and within one in an order that does not tell the run.
-- parameters: run_keys UBIGINT[], rate DOUBLE, author VARCHAR
-- columns: run VARCHAR, problem_key UBIGINT, label VARCHAR, sample INTEGER, n BIGINT, c BIGINT, settled VARCHAR
-- columns: mine VARCHAR
WITH hard AS (
    SELECT run_key, problem_key, n, c
    FROM tallies
    WHERE list_contains($run_keys, run_key) AND c > 0 AND c < n * $rate
),
mine AS (
    SELECT run_key, problem_key, sample, arg_max(judgement, created) AS judgement
    FROM judgements
    WHERE author = $author AND version IS NULL AND judgement IS NOT NULL
    GROUP BY run_key, problem_key, sample
    HAVING arg_max(judgement, created) <> 'withdrawn'
)
SELECT
    runs.run,
    hard.problem_key,
    problems.label,
    outcomes.sample,
    hard.n,
    hard.c,
    settled_judgements.judgement AS settled,
    mine.judgement AS mine
FROM hard
JOIN outcomes USING (run_key, problem_key)
JOIN runs USING (run_key)
JOIN problems USING (problem_key)
LEFT JOIN settled_judgements USING (run_key, problem_key, sample)
LEFT JOIN mine USING (run_key, problem_key, sample)
WHERE outcomes.verdict = 'correct' AND outcomes.characters IS NOT NULL
ORDER BY problems.position, problems.problem_key, hash(run_key, outcomes.sample)
