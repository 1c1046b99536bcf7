-- Attaches a merged database of an older schema that cannot be migrated now. What everybody reads is a database in
-- memory that the migrations then bring to this schema: copies of its small tables and views of the large ones.
-- A script.
-- files: base
DETACH base;
ATTACH {base} AS older (READ_ONLY);
ATTACH ':memory:' AS base;
CREATE TABLE base.schema_version AS FROM older.schema_version;
CREATE TABLE base.ledger AS FROM older.ledger;
