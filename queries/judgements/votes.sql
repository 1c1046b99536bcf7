-- The votes of one judge on the paths of some problems of a run; of a vote that was asked for again, both attempts.
-- parameters: run_key UBIGINT, problem_keys UBIGINT[], author VARCHAR, version VARCHAR
-- columns: problem_key UBIGINT, sample INTEGER, note VARCHAR
SELECT DISTINCT problem_key, sample, note
FROM votes
WHERE run_key = $run_key AND author = $author AND version = $version AND list_contains($problem_keys, problem_key)
ORDER BY problem_key, sample, note
