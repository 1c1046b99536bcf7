-- The problems of one run with what a verifier needs of each, and how many samples there are to judge: those without a
-- verdict, or all. In the order of their keys, which is how texts lie.
-- parameters: run_key UBIGINT, again BOOLEAN
-- columns: problem_key UBIGINT, statement VARCHAR, reference VARCHAR, metadata VARCHAR, samples BIGINT, texts BIGINT
WITH waiting AS (
    SELECT problem_key, count(*) AS samples, count(characters) AS texts
    FROM outcomes
    WHERE run_key = $run_key AND ($again OR verdict IN ('unverified', 'error')) AND NOT overridden
    GROUP BY problem_key
)
SELECT problem_key, problems.statement, problems.reference, problems.metadata, waiting.samples, waiting.texts
FROM waiting
JOIN problems USING (problem_key)
ORDER BY problem_key
