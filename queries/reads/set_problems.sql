-- Every problem that one of the given runs has, with its tally in each of them (a row for each problem and run).
-- parameters: run_keys UBIGINT[], excerpt INTEGER
-- columns: problem_key UBIGINT, label VARCHAR, position INTEGER, excerpt VARCHAR, level VARCHAR, run_key UBIGINT
-- columns: n BIGINT, c BIGINT, mean_tokens DOUBLE
SELECT
    problems.problem_key,
    problems.label,
    problems.position,
    left(problems.statement, $excerpt) AS excerpt,
    problems.level,
    tallies.run_key,
    tallies.n,
    tallies.c,
    tallies.tokens_total / nullif(tallies.tokens_known, 0) AS mean_tokens
FROM tallies
JOIN problems USING (problem_key)
WHERE list_contains($run_keys, tallies.run_key)
ORDER BY problems.position, problems.label
