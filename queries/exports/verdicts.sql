-- Verdicts beside the one that counts, of some problems' samples.
-- parameters: run_key UBIGINT, problem_keys UBIGINT[]
-- columns: problem_key UBIGINT, sample INTEGER, verifier VARCHAR, version VARCHAR, verdict VARCHAR, detail VARCHAR
-- columns: answer VARCHAR, used BOOLEAN, created TIMESTAMP
SELECT problem_key, sample, verifier, version, verdict, detail, answer, used, created
FROM verdicts
WHERE run_key = $run_key AND problem_key IN (SELECT unnest($problem_keys))
ORDER BY problem_key, sample, created, verifier, version, verdict
