-- What is known of one benchmark beyond its problems; no row where it came with imported results.
-- parameters: benchmark VARCHAR
-- columns: verifier VARCHAR, source VARCHAR
SELECT verifier, source
FROM benchmarks
WHERE benchmark = $benchmark
