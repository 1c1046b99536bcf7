-- The samples of a run whose text contains a string, in the order of the store, each with where it first stands and
-- what stands around it. `found` counts from 0, in characters.
-- parameters: run_key UBIGINT, problem_key UBIGINT, sample INTEGER, pattern VARCHAR, around INTEGER
-- columns: problem_key UBIGINT, sample INTEGER, found BIGINT, length BIGINT, excerpt VARCHAR
SELECT
    problem_key,
    sample,
    found - 1 AS found,
    length($pattern) AS length,
    substr(text, greatest(found - $around, 1), least(found - 1, $around) + length($pattern) + $around) AS excerpt
FROM (
    SELECT problem_key, sample, text, strpos(text, $pattern) AS found
    FROM texts
    WHERE run_key = $run_key
      AND problem_key = coalesce($problem_key, problem_key)
      AND sample = coalesce($sample, sample)
      AND contains(text, $pattern)
)
