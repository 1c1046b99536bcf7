-- Of one run: how many samples each problem has, and how long their texts are together.
-- parameters: run_key UBIGINT, verdict VARCHAR
-- columns: problem_key UBIGINT, samples BIGINT, characters BIGINT
SELECT problem_key, count(*) AS samples, coalesce(sum(characters), 0)::BIGINT AS characters
FROM outcomes
WHERE run_key = $run_key AND ($verdict IS NULL OR verdict = $verdict)
GROUP BY problem_key
