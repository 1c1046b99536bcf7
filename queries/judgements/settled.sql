-- What is settled of the paths of one run and problem.
-- parameters: run_key UBIGINT, problem_key UBIGINT
-- columns: sample INTEGER, judgement VARCHAR
SELECT sample, judgement
FROM settled_judgements
WHERE run_key = $run_key AND problem_key = $problem_key
