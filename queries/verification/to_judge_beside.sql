-- The problems of one run with samples that a verifier of this version has not judged yet, and how many of them, whatever
-- counts for them: its verdicts are to stand beside. In the order of their keys, which is how texts lie.
-- parameters: run_key UBIGINT, verifier VARCHAR, version VARCHAR
-- columns: problem_key UBIGINT, statement VARCHAR, reference VARCHAR, metadata VARCHAR, samples BIGINT, texts BIGINT
WITH waiting AS (
    SELECT problem_key, count(*) AS samples, count(characters) AS texts
    FROM outcomes
    ANTI JOIN (FROM verdicts WHERE run_key = $run_key AND verifier = $verifier AND version = $version) AS judged
        USING (run_key, problem_key, sample)
    WHERE run_key = $run_key
    GROUP BY problem_key
)
SELECT problem_key, problems.statement, problems.reference, problems.metadata, waiting.samples, waiting.texts
FROM waiting
JOIN problems USING (problem_key)
WHERE waiting.texts > 0
ORDER BY problem_key
