-- The unmerged parts in memory: same columns as in base.duckdb, and the part of every row, so that a superseded part
-- can be taken out again. Texts stay in their Parquet files.
-- A script.
CREATE SCHEMA overlay;
CREATE TABLE overlay.models AS FROM base.models LIMIT 0;
CREATE TABLE overlay.runs AS FROM base.runs LIMIT 0;
CREATE TABLE overlay.problems AS FROM base.problems LIMIT 0;
CREATE TABLE overlay.benchmarks AS FROM base.benchmarks LIMIT 0;
CREATE TABLE overlay.sources AS FROM base.sources LIMIT 0;
CREATE TABLE overlay.outcomes AS SELECT *, NULL::VARCHAR AS part FROM base.outcomes LIMIT 0;
CREATE TABLE overlay.statistics AS SELECT *, NULL::VARCHAR AS part FROM base.statistics LIMIT 0;
CREATE TABLE overlay.verdicts AS SELECT *, NULL::VARCHAR AS part FROM base.verdicts LIMIT 0;
CREATE TABLE overlay.scores AS SELECT *, NULL::VARCHAR AS part FROM base.scores LIMIT 0;
CREATE TABLE overlay.judgements AS SELECT *, NULL::VARCHAR AS part FROM base.judgements LIMIT 0;
