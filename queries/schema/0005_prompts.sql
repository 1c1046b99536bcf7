-- What models were asked with, schema version 5. Problems are known without their templates; see importers/prompts.py.
-- A script; executed once in a store of version 4, inside one transaction with the row that records the version.
CREATE TABLE prompts (
    run_key UBIGINT,
    problem_key UBIGINT,
    prompt VARCHAR USING COMPRESSION zstd, -- as the source has it, template and all; chat messages as JSON
    part VARCHAR
);
