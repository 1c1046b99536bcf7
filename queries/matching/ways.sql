-- By which decision each matched problem is another one.
-- columns: problem_key UBIGINT, to_key UBIGINT, part VARCHAR
SELECT matched.problem_key, matched.to_key, max(matches.part) AS part
FROM overlay.matched AS matched
JOIN counted.matches AS matches ON matched.problem_key = matches.problem_key
GROUP BY matched.problem_key, matched.to_key
