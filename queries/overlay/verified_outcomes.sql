-- Outcomes where samples have been verified again: the last used verdict instead of the one they came with. Laid over
-- the plain view only in a store that has such verdicts.
-- A script.
CREATE OR REPLACE VIEW used_verdicts AS
SELECT
    run_key,
    problem_key,
    sample,
    -- A struct, because arg_max passes over NULL: an older answer must not stand beside a newer verdict.
    arg_max({'verdict': verdict, 'detail': detail, 'answer': answer}, created) AS last
FROM verdicts
WHERE used
GROUP BY run_key, problem_key, sample;

CREATE OR REPLACE VIEW outcomes AS
SELECT
    f.run_key,
    f.problem_key,
    f.sample,
    CASE WHEN u.last IS NULL THEN f.verdict ELSE u.last.verdict END AS verdict,
    CASE WHEN u.last IS NULL THEN f.detail ELSE u.last.detail END AS detail,
    CASE WHEN u.last IS NULL THEN f.answer ELSE u.last.answer END AS answer,
    f.* EXCLUDE (run_key, problem_key, sample, verdict, detail, answer)
FROM stored.outcomes AS f
LEFT JOIN used_verdicts AS u
    ON f.run_key = u.run_key AND f.problem_key = u.problem_key AND f.sample = u.sample
