-- What people and step checkers said of the reasoning of some problems' samples, the earliest first.
-- parameters: run_key UBIGINT, problem_keys UBIGINT[]
-- columns: problem_key UBIGINT, sample INTEGER, author VARCHAR, version VARCHAR, created TIMESTAMP, judgement VARCHAR
-- columns: note VARCHAR
SELECT problem_key, sample, author, version, created, judgement, note
FROM judgements
WHERE run_key = $run_key AND problem_key IN (SELECT unnest($problem_keys))
ORDER BY problem_key, sample, created, author, version, judgement, note
