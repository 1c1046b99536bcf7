-- What each author in each version said last of the correct paths of some runs; withdrawn is nothing.
-- parameters: run_keys UBIGINT[]
-- columns: author VARCHAR, version VARCHAR, run_key UBIGINT, problem_key UBIGINT, sample INTEGER, judgement VARCHAR
SELECT author, version, run_key, problem_key, sample, arg_max(judgement, created) AS judgement
FROM judgements
JOIN outcomes USING (run_key, problem_key, sample)
WHERE list_contains($run_keys, run_key) AND judgement IS NOT NULL AND verdict = 'correct'
GROUP BY author, version, run_key, problem_key, sample
HAVING arg_max(judgement, created) <> 'withdrawn'
