-- The samples of a run whose text matches a regular expression (RE2), in the order of the store, each with where it
-- first matches and what stands around it. `found` counts from 0, in characters; it is the length of what the lazy
-- group before the pattern takes, so that \b and ^ mean what they mean in the whole text.
-- parameters: run_key UBIGINT, problem_key UBIGINT, sample INTEGER, pattern VARCHAR, around INTEGER
-- columns: problem_key UBIGINT, sample INTEGER, found BIGINT, length BIGINT, excerpt VARCHAR
SELECT
    problem_key,
    sample,
    found,
    length,
    substr(text, greatest(found - $around, 0) + 1, least(found, $around) + length + $around) AS excerpt
FROM (
    SELECT
        problem_key,
        sample,
        text,
        length(regexp_extract(text, '(?s)^(.*?)(?-s:' || $pattern || ')', 1)) AS found,
        least(length(regexp_extract(text, $pattern)), 200) AS length
    FROM texts
    WHERE run_key = $run_key
      AND problem_key = coalesce($problem_key, problem_key)
      AND sample = coalesce($sample, sample)
      AND regexp_matches(text, $pattern)
)
