-- Attaches the merged database, read-only: other readers are welcome meanwhile, a merge is not.
-- A script.
-- files: base
ATTACH {base} AS base (READ_ONLY)
