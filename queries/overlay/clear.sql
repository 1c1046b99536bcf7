-- Empties what `taken_back` made, to be filled anew.
-- A script.
DELETE FROM overlay.hidden_parts;
DELETE FROM overlay.hidden_counts;
DELETE FROM overlay.removed_runs;
DELETE FROM overlay.hidden_verdicts;
DELETE FROM overlay.hidden_samples;
DELETE FROM overlay.corrections;
DELETE FROM overlay.matched;
