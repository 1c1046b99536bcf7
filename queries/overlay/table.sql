-- A table of the unmerged parts in memory: the columns of base.duckdb, and the part that every row waits in, so that a
-- superseded part can be taken out again.
-- A script.
-- tables: all
CREATE TABLE overlay.{table} AS SELECT *, NULL::VARCHAR AS waiting_in FROM base.{table} LIMIT 0
