-- What is settled of the reasoning of some problems' samples.
-- parameters: run_key UBIGINT, problem_keys UBIGINT[]
-- columns: problem_key UBIGINT, sample INTEGER, judgement VARCHAR
SELECT problem_key, sample, judgement
FROM settled_judgements
WHERE run_key = $run_key AND problem_key IN (SELECT unnest($problem_keys))
