-- Every judgement of some runs with the path that it is about, in the order of time.
-- parameters: run_keys UBIGINT[]
-- columns: run VARCHAR, benchmark VARCHAR, label VARCHAR, sample INTEGER, verdict VARCHAR, author VARCHAR
-- columns: version VARCHAR, created TIMESTAMP, judgement VARCHAR, note VARCHAR
SELECT DISTINCT
    runs.run,
    runs.benchmark,
    problems.label,
    judgements.sample,
    outcomes.verdict,
    judgements.author,
    judgements.version,
    judgements.created,
    judgements.judgement,
    judgements.note
FROM judgements
JOIN runs USING (run_key)
JOIN problems USING (problem_key)
LEFT JOIN outcomes USING (run_key, problem_key, sample)
WHERE list_contains($run_keys, judgements.run_key)
ORDER BY judgements.created, runs.run, problems.label, judgements.sample, judgements.author
