-- Every decision that was ever made, those taken back among them, in the order in which they were made.
-- columns: kind VARCHAR, target VARCHAR, run_key UBIGINT, problem_key UBIGINT, sample INTEGER, field VARCHAR
-- columns: value VARCHAR, reason VARCHAR, author VARCHAR, created TIMESTAMP, part VARCHAR
SELECT kind, target, run_key, problem_key, sample, field, value, reason, author, created, part
FROM stored.decisions
ORDER BY created, part, kind, target, run_key, problem_key, sample, field
