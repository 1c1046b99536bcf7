-- The stored texts of a run in the order of the store, with what a step checker wants to know of their problem; only
-- right ones where `verdict` says so, and only those that this version of the checker has not judged.
-- parameters: run_key UBIGINT, verdict VARCHAR, author VARCHAR, version VARCHAR
-- columns: problem_key UBIGINT, sample INTEGER, finish_reason VARCHAR, statement VARCHAR, reference VARCHAR
-- columns: metadata VARCHAR, text VARCHAR
SELECT
    problem_key,
    sample,
    outcomes.finish_reason,
    problems.statement,
    problems.reference,
    problems.metadata,
    texts.text
FROM texts
JOIN outcomes USING (run_key, problem_key, sample)
JOIN problems USING (problem_key)
ANTI JOIN (
    SELECT problem_key, sample FROM judgements WHERE run_key = $run_key AND author = $author AND version = $version
) AS done USING (problem_key, sample)
WHERE texts.run_key = $run_key
  AND outcomes.run_key = $run_key
  AND ($verdict IS NULL OR outcomes.verdict = $verdict)
