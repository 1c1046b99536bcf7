-- The parts that have already been merged into the opened base.duckdb.
-- columns: part VARCHAR, manifest VARCHAR
SELECT part, manifest FROM ledger ORDER BY part
