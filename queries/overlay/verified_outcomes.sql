-- Outcomes where samples have been verified again, or a person has overridden a verdict: the last used verdict instead
-- of the one they came with, and the person's instead of both. Laid over the plain view only in a store that has such
-- verdicts. `tallied_outcomes` is what the stored tallies count.
-- A script.
CREATE OR REPLACE VIEW tallied_verdicts AS
SELECT
    run_key,
    problem_key,
    sample,
    -- A struct, because arg_max passes over NULL: an older answer must not stand beside a newer verdict.
    arg_max({'verdict': verdict, 'detail': detail, 'answer': answer}, created) AS last
FROM stored.verdicts
WHERE used
GROUP BY run_key, problem_key, sample;

-- The same without those that are taken back with the import that gave them.
CREATE OR REPLACE VIEW used_verdicts AS
SELECT
    given.run_key,
    given.problem_key,
    given.sample,
    arg_max({'verdict': given.verdict, 'detail': given.detail, 'answer': given.answer}, given.created) AS last
FROM stored.verdicts AS given
ANTI JOIN overlay.hidden_verdicts AS hidden ON given.run_key = hidden.run_key AND given.created = hidden.given
WHERE given.used
GROUP BY given.run_key, given.problem_key, given.sample;

CREATE OR REPLACE VIEW tallied_outcomes AS
SELECT f.* REPLACE (CASE WHEN u.last IS NULL THEN f.verdict ELSE u.last.verdict END AS verdict)
FROM stored.outcomes AS f
LEFT JOIN tallied_verdicts AS u
    ON f.run_key = u.run_key AND f.problem_key = u.problem_key AND f.sample = u.sample;

CREATE OR REPLACE VIEW outcomes AS
SELECT
    f.run_key,
    f.problem_key,
    f.sample,
    CASE
        WHEN o.verdict IS NOT NULL THEN o.verdict
        WHEN u.last IS NULL THEN f.verdict
        ELSE u.last.verdict
    END AS verdict,
    CASE WHEN u.last IS NULL THEN f.detail ELSE u.last.detail END AS detail,
    CASE WHEN u.last IS NULL THEN f.answer ELSE u.last.answer END AS answer,
    f.* EXCLUDE (run_key, problem_key, sample, verdict, detail, answer),
    o.verdict IS NOT NULL AS overridden
FROM counted.outcomes AS f
LEFT JOIN used_verdicts AS u
    ON f.run_key = u.run_key AND f.problem_key = u.problem_key AND f.sample = u.sample
LEFT JOIN overrides AS o
    ON f.run_key = o.run_key AND f.problem_key = o.problem_key AND f.sample = o.sample
