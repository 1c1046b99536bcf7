-- Makes room for base.duckdb, which has appeared since this process opened a store of parts alone.
-- A script.
DETACH base
