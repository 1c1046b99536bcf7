-- The parts that brought the decisions of the opened base.duckdb.
-- columns: part VARCHAR
SELECT DISTINCT part FROM decisions ORDER BY part
