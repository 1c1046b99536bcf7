-- Notes that the published counts that a part brought of a run do not count; NULL stands for every older part.
-- parameters: part VARCHAR, run_key UBIGINT
INSERT INTO overlay.hidden_counts VALUES ($part, $run_key)
