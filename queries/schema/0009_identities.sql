-- The identity that a sample's source itself gives it (Inspect's uuid), so that it comes in once whatever file brings it,
-- and others with the same text beside it. Schema version 9.
-- A script; executed once in a store of version 8, inside one transaction with the row that records the version.
CREATE TABLE identities (
    run_key UBIGINT,
    problem_key UBIGINT,
    sample INTEGER,
    identity UBIGINT, -- 64 bits of its MD5
    part VARCHAR
);
