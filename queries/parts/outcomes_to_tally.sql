-- The outcomes that `parts/derive_tallies` counts: those of one part.
-- A script.
-- files: outcomes
CREATE OR REPLACE TEMP VIEW outcomes_to_tally AS FROM read_parquet([{outcomes}])
