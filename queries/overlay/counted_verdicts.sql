-- The verdicts beside samples without those of samples, and of imports, that are taken back.
-- A script.
CREATE OR REPLACE VIEW counted.verdicts AS
FROM stored.verdicts AS given
ANTI JOIN overlay.hidden_samples USING (run_key, problem_key, sample)
ANTI JOIN overlay.hidden_verdicts AS hidden ON given.run_key = hidden.run_key AND given.created = hidden.given
