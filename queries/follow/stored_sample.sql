-- What the store has of one sample that came from a file, to see whether a row that the file has again is the same.
-- parameters: run_key UBIGINT, problem_key UBIGINT, sample INTEGER, source_key UBIGINT
-- columns: source_row INTEGER, verdict VARCHAR, text VARCHAR
SELECT o.source_row, o.verdict, t.text
FROM stored.outcomes AS o
LEFT JOIN texts AS t
    ON t.run_key = o.run_key AND t.problem_key = o.problem_key AND t.sample = o.sample
WHERE o.run_key = $run_key AND o.problem_key = $problem_key AND o.sample = $sample AND o.source_key = $source_key
