-- The answers given to some problems by the given runs, and how often, the most frequent first; long ones by their
-- beginning.
-- parameters: run_keys UBIGINT[], problem_keys UBIGINT[], longest INTEGER
-- columns: problem_key UBIGINT, run_key UBIGINT, answer VARCHAR, verdict VARCHAR, count BIGINT
SELECT problem_key, run_key, left(answer, $longest) AS answer, verdict, count(*) AS count
FROM outcomes
WHERE list_contains($run_keys, run_key) AND problem_key IN (SELECT unnest($problem_keys))
GROUP BY ALL
ORDER BY problem_key, run_key, count DESC, verdict, answer NULLS FIRST
