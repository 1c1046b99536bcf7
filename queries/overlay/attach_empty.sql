-- Stands in for base.duckdb where there is none and this user cannot make one.
-- A script.
ATTACH ':memory:' AS base
