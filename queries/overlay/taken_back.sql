-- What decisions leave out, in memory: parts, rows of published counts, runs up to an index, verdicts, samples; and what that and
-- overridden verdicts change in the tallies. Beside it the problems that are another one by a match, as `stored` reads them.
-- A script.
CREATE TABLE overlay.hidden_parts (part VARCHAR);
CREATE TABLE overlay.hidden_counts (part VARCHAR, run_key UBIGINT);
CREATE TABLE overlay.removed_runs (run_key UBIGINT, before INTEGER);
CREATE TABLE overlay.hidden_verdicts (run_key UBIGINT, given TIMESTAMP);
CREATE TABLE overlay.hidden_samples (run_key UBIGINT, problem_key UBIGINT, sample INTEGER);
CREATE TABLE overlay.corrections AS FROM base.statistics LIMIT 0;
CREATE TABLE overlay.matched (problem_key UBIGINT, to_key UBIGINT);
