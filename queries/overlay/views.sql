-- What everybody reads. Where two parts describe the same thing (model, run, problem, benchmark), the first that came
-- counts; part names sort by time. A run's parameters are those of the last part, since it repeats what the parts
-- before it knew.
-- What was decided since goes before all of it.
-- A script.
CREATE OR REPLACE VIEW decisions AS FROM counted.decisions;

CREATE OR REPLACE VIEW models AS
WITH said AS (
    SELECT
        model,
        arg_min(role, part) FILTER (role IS NOT NULL) AS role,
        arg_min(from_model, part) FILTER (from_model IS NOT NULL) AS from_model,
        arg_min(step, part) FILTER (step IS NOT NULL) AS step,
        arg_min(algorithm, part) FILTER (algorithm IS NOT NULL) AS algorithm
    FROM counted.models
    GROUP BY model
),
decided AS (
    SELECT
        target AS model,
        arg_max(value, created) FILTER (field = 'role') AS role,
        arg_max(value, created) FILTER (field = 'from_model') AS from_model,
        arg_max(value, created) FILTER (field = 'step')::INTEGER AS step,
        arg_max(value, created) FILTER (field = 'algorithm') AS algorithm
    FROM decisions
    WHERE kind = 'model'
    GROUP BY target
)
SELECT
    model,
    coalesce(decided.role, said.role) AS role,
    coalesce(decided.from_model, said.from_model) AS from_model,
    coalesce(decided.step, said.step) AS step,
    coalesce(decided.algorithm, said.algorithm) AS algorithm
FROM said
LEFT JOIN decided USING (model);

-- `stored_name` is the name from which a run's key follows, whatever it is called now.
CREATE OR REPLACE VIEW runs AS
WITH said AS (
    SELECT
        run_key,
        arg_min(run, part) AS stored_name,
        arg_min(model, part) AS model,
        arg_min(benchmark, part) AS benchmark,
        arg_max(parameters, part) AS parameters
    FROM counted.runs
    GROUP BY run_key
),
decided AS (
    SELECT
        run_key,
        arg_max(value, created) FILTER (field = 'name') AS name,
        arg_max(value, created) FILTER (field = 'model_path') AS model_path
    FROM decisions
    WHERE kind = 'run'
    GROUP BY run_key
)
SELECT
    run_key,
    coalesce(decided.name, said.stored_name) AS run,
    said.model,
    said.benchmark,
    CASE
        WHEN decided.model_path IS NULL THEN said.parameters
        ELSE json_merge_patch(coalesce(said.parameters, '{}'), json_object('model_path', decided.model_path))::VARCHAR
    END AS parameters,
    said.stored_name
FROM said
LEFT JOIN decided USING (run_key);

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
    FROM counted.problems
    GROUP BY problem_key
),
decided AS (
    SELECT problem_key, arg_max(value, created) AS reference
    FROM decisions
    WHERE kind = 'reference'
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
FROM (
    SELECT
        known.* REPLACE (coalesce(decided.reference, known.reference) AS reference),
        printf('%016x', problem_key) AS key_text
    FROM known
    LEFT JOIN decided USING (problem_key)
);

CREATE OR REPLACE VIEW benchmarks AS
SELECT
    benchmark,
    arg_min(verifier, part) FILTER (verifier IS NOT NULL) AS verifier,
    arg_min(source, part) AS source,
    arg_min(metadata, part) AS metadata
FROM counted.benchmarks
GROUP BY benchmark;

CREATE OR REPLACE VIEW sources AS
SELECT source_key, any_value(path) AS path, any_value(format) AS format
FROM counted.sources
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
FROM counted.statistics
GROUP BY run_key, problem_key;

-- What a run was asked with; the first that came counts.
CREATE OR REPLACE VIEW prompts AS
SELECT run_key, problem_key, arg_min(prompt, part) AS prompt
FROM counted.prompts
GROUP BY run_key, problem_key;

CREATE OR REPLACE VIEW texts AS FROM counted.texts;
CREATE OR REPLACE VIEW verdicts AS FROM counted.verdicts;
CREATE OR REPLACE VIEW scores AS FROM counted.scores;
CREATE OR REPLACE VIEW token_scores AS FROM counted.token_scores;

-- What a checker says without a judgement is a vote of a language model (backend/votes.py); what comes of its votes is a
-- judgement beside them.
CREATE OR REPLACE VIEW judgements AS FROM counted.judgements WHERE judgement IS NOT NULL OR version IS NULL;
CREATE OR REPLACE VIEW votes AS FROM counted.judgements WHERE judgement IS NULL AND version IS NOT NULL;

-- Verdicts that a person has given instead of the verifier's.
CREATE OR REPLACE VIEW overrides AS
SELECT run_key, problem_key, sample, last.verdict, last.reason, last.author, last.created
FROM (
    SELECT
        run_key,
        problem_key,
        sample,
        arg_max({'verdict': value, 'reason': reason, 'author': author, 'created': created}, created) AS last
    FROM decisions
    WHERE kind = 'override'
    GROUP BY run_key, problem_key, sample
)
WHERE last.verdict IS NOT NULL;

-- What the judgements of a path come to: the last of each author counts, unless it withdraws what was said; persons go
-- before step checkers; where they disagree it is unsure.
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
    HAVING arg_max(judgement, created) <> 'withdrawn'
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
