-- The samples that are taken back: those of the source files of a part, and those of a removed run up to an index.
INSERT INTO overlay.hidden_samples
SELECT run_key, problem_key, sample
FROM stored.outcomes
SEMI JOIN (SELECT source_key FROM stored.sources SEMI JOIN overlay.hidden_parts USING (part)) USING (source_key)
UNION
SELECT outcomes.run_key, outcomes.problem_key, outcomes.sample
FROM stored.outcomes AS outcomes
JOIN overlay.removed_runs AS removed ON outcomes.run_key = removed.run_key AND outcomes.sample < removed.before
