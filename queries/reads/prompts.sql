-- What a run was asked with, as far as its sources have it.
-- parameters: run_key UBIGINT
-- columns: problem_key UBIGINT, prompt VARCHAR
SELECT problem_key, prompt
FROM prompts
WHERE run_key = $run_key
