-- Who gave verdicts beside those that the samples of a run came with.
-- parameters: run_key UBIGINT
-- columns: verifier VARCHAR
SELECT DISTINCT verifier FROM verdicts WHERE run_key = $run_key ORDER BY verifier
