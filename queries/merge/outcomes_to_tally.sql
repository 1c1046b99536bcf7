-- The outcomes that `parts/derive_tallies` counts: all merged ones, by the verdicts that count.
-- A script.
CREATE OR REPLACE TEMP VIEW outcomes_to_tally AS
SELECT
    outcomes.run_key,
    outcomes.problem_key,
    coalesce(used.verdict, outcomes.verdict) AS verdict,
    outcomes.tokens,
    outcomes.characters
FROM outcomes
LEFT JOIN (
    SELECT run_key, problem_key, sample, arg_max(verdict, created) AS verdict
    FROM verdicts
    WHERE used
    GROUP BY run_key, problem_key, sample
) AS used USING (run_key, problem_key, sample)
