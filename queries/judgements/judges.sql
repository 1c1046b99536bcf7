-- The language models that have judged here, each as the JSON of its identity: model, prompt, parameters.
-- columns: identity VARCHAR
SELECT DISTINCT path AS identity FROM sources WHERE format = 'judged' ORDER BY identity
