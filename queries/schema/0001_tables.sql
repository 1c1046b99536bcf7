-- The tables of base.duckdb, schema version 1. No keys and no indexes on purpose: uniqueness comes from the ledger.
-- A script; executed once in a new store, inside one transaction with the row that records the version.
CREATE TABLE schema_version (version INTEGER, applied TIMESTAMP);

-- One row for every part that has been merged; `manifest` is the part's manifest.json as it was.
CREATE TABLE ledger (part VARCHAR, merged TIMESTAMP, manifest VARCHAR);

CREATE TABLE models (
    model VARCHAR,       -- name, unique in the store
    role VARCHAR,        -- base, rl, sft, instruct, distill; NULL when unknown
    from_model VARCHAR,  -- the model it was trained from
    step INTEGER,        -- training step
    algorithm VARCHAR,   -- GRPO, PPO, ...
    part VARCHAR
);

CREATE TABLE runs (
    run_key UBIGINT,
    run VARCHAR,         -- name, unique in the store; MODEL@BENCHMARK unless the user said otherwise
    model VARCHAR,
    benchmark VARCHAR,
    parameters VARCHAR,  -- JSON: sampling parameters under vLLM's names, as far as known
    part VARCHAR
);

CREATE TABLE problems (
    problem_key UBIGINT, -- from benchmark and all that was asked; from the id where there is no statement
    benchmark VARCHAR,
    id VARCHAR,          -- as the source named it; not necessarily unique
    position INTEGER,    -- place in its source, from 0
    statement VARCHAR,   -- NULL when the source has none
    reference VARCHAR,   -- reference answer
    level VARCHAR,
    metadata VARCHAR,    -- JSON
    part VARCHAR
);

CREATE TABLE sources (
    source_key UBIGINT,
    path VARCHAR,
    digest VARCHAR,      -- BLAKE2b of the file's bytes
    format VARCHAR,      -- importer that read it
    run_key UBIGINT,
    part VARCHAR
);

CREATE TABLE outcomes (
    run_key UBIGINT,
    problem_key UBIGINT,
    sample INTEGER,      -- index within problem and run; gaps are allowed
    verdict VARCHAR,     -- correct, wrong, no_answer, truncated, timeout, error, unverified
    detail VARCHAR,      -- what the source said beyond the verdict
    answer VARCHAR,      -- extracted answer
    tokens INTEGER,
    characters INTEGER,  -- length of the text; NULL when no text is stored
    finish_reason VARCHAR,
    seed BIGINT,
    logprob_sum DOUBLE,
    source_key UBIGINT,
    source_row INTEGER   -- line or row in the source, from 1
);

CREATE TABLE texts (
    run_key UBIGINT,
    problem_key UBIGINT,
    sample INTEGER,
    text VARCHAR USING COMPRESSION zstd
);

-- Per run and problem. Rows of one pair add up: every merged part appends its own.
CREATE TABLE statistics (
    run_key UBIGINT,
    problem_key UBIGINT,
    origin VARCHAR,      -- 'samples': derived from outcomes, rebuildable; 'counts': published counts, primary
    n BIGINT,            -- verified samples
    c BIGINT,            -- correct samples
    unverified BIGINT,
    tokens_known BIGINT, -- samples whose token count is known
    tokens_total BIGINT,
    texts BIGINT         -- samples whose text is stored
);
