-- Which problems are one by a match: a decision that says how stands beside the rows, in `decisions`, by their part.
-- Nothing is rewritten: views read a problem under the key of the one it is matched with. Schema version 8.
-- A script; executed once in a store of version 7, inside one transaction with the row that records the version.
CREATE TABLE matches (
    problem_key UBIGINT, -- is the same problem as
    to_key UBIGINT,      -- this one, which was described first
    part VARCHAR
);
