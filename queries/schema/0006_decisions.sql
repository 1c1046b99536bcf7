-- What somebody decided about rows that are there: an import taken back, a run renamed or removed, another reference, a
-- verdict overridden. Nothing is rewritten: views lay decisions over the rows, of several the last counts, and a
-- decision is taken back by a later one. Schema version 6.
-- A script; executed once in a store of version 5, inside one transaction with the row that records the version.
CREATE TABLE decisions (
    kind VARCHAR,        -- undo, run, model, remove, reference, override, match (see 0008)
    target VARCHAR,      -- undo: the part that is taken back or brought back; model: its name; else as people call it
    run_key UBIGINT,     -- run, remove, override
    problem_key UBIGINT, -- reference, override
    sample INTEGER,      -- override; of remove, the first index that still counts
    field VARCHAR,       -- run: name, model_path; model: role, from_model, step, algorithm; match: by what
    value VARCHAR,       -- undo: undo or redo; override: a verdict, NULL when it is withdrawn; match: how many problems
    reason VARCHAR,
    author VARCHAR,
    created TIMESTAMP,   -- UTC
    part VARCHAR
);
