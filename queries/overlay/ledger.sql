-- The parts that have been merged into the attached base, with their manifests.
-- columns: part VARCHAR, manifest VARCHAR
SELECT part, manifest FROM base.ledger ORDER BY part
