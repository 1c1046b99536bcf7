-- How the votes of judges on every path of some runs are split; of a vote that was asked for again the last attempt
-- counts. One judge where `author` says so, else all.
-- parameters: run_keys UBIGINT[], author VARCHAR, version VARCHAR
-- columns: author VARCHAR, version VARCHAR, run_key UBIGINT, problem_key UBIGINT, sample INTEGER, sound BIGINT
-- columns: unsound BIGINT, unknown BIGINT, tokens BIGINT
WITH said AS (
    SELECT
        author,
        version,
        run_key,
        problem_key,
        sample,
        (note ->> '$.vote')::INTEGER AS vote,
        arg_max(note ->> '$.said', (note ->> '$.attempt')::INTEGER) AS said,
        arg_max((note ->> '$.tokens')::BIGINT, (note ->> '$.attempt')::INTEGER) AS tokens
    FROM votes
    WHERE list_contains($run_keys, run_key)
        AND ($author IS NULL OR (author = $author AND version = $version))
    GROUP BY ALL
)
SELECT
    author,
    version,
    run_key,
    problem_key,
    sample,
    count(*) FILTER (said = 'sound') AS sound,
    count(*) FILTER (said = 'unsound') AS unsound,
    count(*) FILTER (said NOT IN ('sound', 'unsound')) AS unknown,
    sum(tokens)::BIGINT AS tokens
FROM said
GROUP BY ALL
