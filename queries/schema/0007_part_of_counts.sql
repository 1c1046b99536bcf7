-- Which part brought a row of the tallies: published counts have no source that says so. NULL in rows of older parts.
-- Schema version 7.
-- A script; executed once in a store of version 6, inside one transaction with the row that records the version.
ALTER TABLE statistics ADD COLUMN IF NOT EXISTS part VARCHAR;
