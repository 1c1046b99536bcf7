-- Notes that the verdicts do not count that an import gave at one moment to samples of a run that were there.
-- parameters: run_key UBIGINT, given TIMESTAMP
INSERT INTO overlay.hidden_verdicts VALUES ($run_key, $given)
