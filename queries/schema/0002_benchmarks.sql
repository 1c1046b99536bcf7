-- What is known of a benchmark beyond its problems, schema version 2.
-- A script; executed once in a store of version 1, inside one transaction with the row that records the version.
CREATE TABLE benchmarks (
    benchmark VARCHAR,  -- name; its problems name it
    verifier VARCHAR,   -- name of the verifier that judges its samples; NULL when it has no reference answers
    source VARCHAR,     -- where the problems were read from, as the user named it
    metadata VARCHAR,   -- JSON: split, columns, and so on
    part VARCHAR
);
