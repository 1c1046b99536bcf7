-- Everything that was said of the reasoning of one path, in the order of time. A part that was merged while its writer
-- went on may bring a row twice.
-- parameters: run_key UBIGINT, problem_key UBIGINT, sample INTEGER
-- columns: author VARCHAR, version VARCHAR, created TIMESTAMP, judgement VARCHAR, note VARCHAR
SELECT DISTINCT author, version, created, judgement, note
FROM judgements
WHERE run_key = $run_key AND problem_key = $problem_key AND sample = $sample
ORDER BY created, author
