-- Under which key each matched problem is read.
-- columns: problem_key UBIGINT, to_key UBIGINT
SELECT problem_key, to_key FROM overlay.matched
