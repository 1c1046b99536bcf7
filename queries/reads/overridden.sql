-- How many samples of some runs have a verdict that a person has given instead of the verifier's.
-- parameters: run_keys UBIGINT[]
-- columns: samples BIGINT
SELECT count(*) AS samples
FROM overrides
SEMI JOIN outcomes USING (run_key, problem_key, sample)
WHERE list_contains($run_keys, run_key)
