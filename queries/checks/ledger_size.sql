-- The same of the ledger.
-- columns: rows BIGINT, ends BIGINT
SELECT count(*) AS rows, coalesce(max(rowid), -1) + 1 AS ends FROM base.ledger
