-- How many samples of a run were taken back.
-- parameters: run_key UBIGINT
-- columns: samples BIGINT
SELECT count(*) AS samples FROM overlay.hidden_samples WHERE run_key = $run_key
