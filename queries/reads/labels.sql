-- Labels of the problems of a benchmark.
-- parameters: benchmark VARCHAR
-- columns: problem_key UBIGINT, label VARCHAR
SELECT problem_key, label FROM problems WHERE benchmark = $benchmark
