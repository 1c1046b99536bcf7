-- One more than the highest sample index that was ever given in a run; 0 where there is none.
-- parameters: run_key UBIGINT
-- columns: next_sample INTEGER
SELECT coalesce(max(sample) + 1, 0)::INTEGER AS next_sample FROM stored.outcomes WHERE run_key = $run_key
