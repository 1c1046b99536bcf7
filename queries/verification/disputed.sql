-- Of some runs, the samples on which verdicts that stand beside each other disagree: one says correct, another does not.
-- Verdicts are what the samples came with, the last of everyone who gave one, and what a person said. Of these problems,
-- or of all for an empty list.
-- parameters: run_keys UBIGINT[], problem_keys UBIGINT[]
-- columns: run_key UBIGINT, problem_key UBIGINT, samples INTEGER[]
WITH beside AS (
    SELECT run_key, problem_key, sample, arg_max(verdict, created) AS verdict
    FROM verdicts
    WHERE list_contains($run_keys, run_key) AND (len($problem_keys) = 0 OR list_contains($problem_keys, problem_key))
    GROUP BY run_key, problem_key, sample, verifier
    UNION ALL
    SELECT run_key, problem_key, sample, verdict FROM overrides
    WHERE list_contains($run_keys, run_key) AND (len($problem_keys) = 0 OR list_contains($problem_keys, problem_key))
),
every AS (
    FROM beside
    UNION ALL
    SELECT run_key, problem_key, sample, verdict
    FROM counted.outcomes
    SEMI JOIN beside USING (run_key, problem_key, sample)
    WHERE list_contains($run_keys, run_key) AND (len($problem_keys) = 0 OR list_contains($problem_keys, problem_key))
),
disputed AS (
    SELECT run_key, problem_key, sample
    FROM every
    WHERE verdict NOT IN ('unverified', 'error')
    GROUP BY run_key, problem_key, sample
    HAVING bool_or(verdict = 'correct') AND bool_or(verdict <> 'correct')
)
SELECT run_key, problem_key, list(sample ORDER BY sample) AS samples
FROM disputed
GROUP BY run_key, problem_key
ORDER BY run_key, problem_key
