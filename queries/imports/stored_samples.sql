-- The samples of a run as an import compares them with its rows, by problem, text, source and verdict.
-- parameters: run_key UBIGINT
-- columns: problem_key UBIGINT, sample INTEGER, verdict VARCHAR, content UBIGINT, source_row INTEGER, path VARCHAR
-- columns: identity UBIGINT
SELECT
    outcomes.problem_key,
    outcomes.sample,
    outcomes.verdict,
    CASE WHEN texts.text IS NULL OR texts.text = '' THEN 0::UBIGINT ELSE md5_number_upper(texts.text) END AS content,
    outcomes.source_row,
    sources.path,
    identities.identity
FROM outcomes
LEFT JOIN texts
    ON
        texts.run_key = $run_key
        AND texts.problem_key = outcomes.problem_key
        AND texts.sample = outcomes.sample
LEFT JOIN sources ON sources.source_key = outcomes.source_key
LEFT JOIN counted.identities AS identities
    ON
        identities.run_key = $run_key
        AND identities.problem_key = outcomes.problem_key
        AND identities.sample = outcomes.sample
WHERE outcomes.run_key = $run_key
ORDER BY sources.path, outcomes.source_row, outcomes.problem_key, outcomes.sample
