-- Answers given to one problem by the given runs, with their verdicts and counts; the most frequent first.
-- parameters: run_keys UBIGINT[], problem_key UBIGINT, longest INTEGER
-- columns: run_key UBIGINT, answer VARCHAR, verdict VARCHAR, times BIGINT
SELECT run_key, left(answer, $longest) AS answer, verdict, count(*) AS times
FROM outcomes
WHERE list_contains($run_keys, run_key) AND problem_key = $problem_key
GROUP BY ALL
ORDER BY times DESC, answer NULLS LAST, verdict, run_key
