-- What everybody reads. Where two parts describe the same thing (model, run, problem, benchmark), the first that came
-- counts; part names sort by time. A run's parameters are those of the last part, since it repeats what the parts
-- before it knew.
-- A script.
CREATE OR REPLACE VIEW models AS
SELECT
    model,
    arg_min(role, part) FILTER (role IS NOT NULL) AS role,
    arg_min(from_model, part) FILTER (from_model IS NOT NULL) AS from_model,
    arg_min(step, part) FILTER (step IS NOT NULL) AS step,
    arg_min(algorithm, part) FILTER (algorithm IS NOT NULL) AS algorithm
FROM stored.models
GROUP BY model;

CREATE OR REPLACE VIEW runs AS
SELECT
    run_key,
    arg_min(run, part) AS run,
    arg_min(model, part) AS model,
    arg_min(benchmark, part) AS benchmark,
    arg_max(parameters, part) AS parameters
FROM stored.runs
GROUP BY run_key;

CREATE OR REPLACE VIEW problems AS
WITH known AS (
    SELECT
        problem_key,
        arg_min(benchmark, part) AS benchmark,
        arg_min(id, part) AS id,
        arg_min(position, part) AS position,
        arg_min(statement, part) FILTER (statement IS NOT NULL) AS statement,
        arg_min(reference, part) FILTER (reference IS NOT NULL) AS reference,
        arg_min(level, part) FILTER (level IS NOT NULL) AS level,
        arg_min(metadata, part) FILTER (metadata IS NOT NULL) AS metadata
    FROM stored.problems
    GROUP BY problem_key
)
-- Two problems with the same id in one benchmark are told apart by the beginning of their keys; where even that is the
-- same, by the whole key.
SELECT
    * EXCLUDE (key_text),
    CASE
        WHEN count(*) OVER (PARTITION BY benchmark, id) = 1 THEN id
        WHEN count(*) OVER (PARTITION BY benchmark, id, left(key_text, 4)) = 1 THEN id || '#' || left(key_text, 4)
        ELSE id || '#' || key_text
    END AS label
FROM (SELECT *, printf('%016x', problem_key) AS key_text FROM known);

CREATE OR REPLACE VIEW benchmarks AS
SELECT
    benchmark,
    arg_min(verifier, part) FILTER (verifier IS NOT NULL) AS verifier,
    arg_min(source, part) AS source,
    arg_min(metadata, part) AS metadata
FROM stored.benchmarks
GROUP BY benchmark;

CREATE OR REPLACE VIEW sources AS
SELECT source_key, any_value(path) AS path, any_value(format) AS format
FROM stored.sources
GROUP BY source_key;

-- n and c of every problem of a run; on disk their table has its first name.
CREATE OR REPLACE VIEW tallies AS
SELECT
    run_key,
    problem_key,
    sum(n)::BIGINT AS n,
    sum(c)::BIGINT AS c,
    sum(unverified)::BIGINT AS unverified,
    sum(tokens_known)::BIGINT AS tokens_known,
    sum(tokens_total)::BIGINT AS tokens_total,
    sum(texts)::BIGINT AS texts
FROM stored.statistics
GROUP BY run_key, problem_key;

-- What a run was asked with; the first that came counts.
CREATE OR REPLACE VIEW prompts AS
SELECT run_key, problem_key, arg_min(prompt, part) AS prompt
FROM stored.prompts
GROUP BY run_key, problem_key;

CREATE OR REPLACE VIEW texts AS FROM stored.texts;
CREATE OR REPLACE VIEW verdicts AS FROM stored.verdicts;
CREATE OR REPLACE VIEW scores AS FROM stored.scores;
CREATE OR REPLACE VIEW token_scores AS FROM stored.token_scores;
CREATE OR REPLACE VIEW judgements AS FROM stored.judgements;

-- What the judgements of a path come to: the last of each author counts; persons go before step checkers; where they
-- disagree it is unsure.
CREATE OR REPLACE VIEW settled_judgements AS
WITH latest AS (
    SELECT
        run_key,
        problem_key,
        sample,
        author,
        version IS NULL AS by_person,
        arg_max(judgement, created) AS judgement
    FROM judgements
    WHERE judgement IS NOT NULL
    GROUP BY ALL
),
said AS (
    SELECT
        run_key,
        problem_key,
        sample,
        coalesce(
            list(DISTINCT judgement) FILTER (by_person),
            list(DISTINCT judgement) FILTER (NOT by_person)
        ) AS judgements
    FROM latest
    GROUP BY run_key, problem_key, sample
)
SELECT
    run_key,
    problem_key,
    sample,
    CASE WHEN len(judgements) = 1 THEN judgements[1] ELSE 'unsure' END AS judgement
FROM said;
