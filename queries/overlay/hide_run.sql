-- Notes that a run is removed: its samples below an index do not count.
-- parameters: run_key UBIGINT, before INTEGER
INSERT INTO overlay.removed_runs VALUES ($run_key, $before)
