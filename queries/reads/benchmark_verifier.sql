-- The verifier of one benchmark; no row where none was chosen.
-- parameters: benchmark VARCHAR
-- columns: verifier VARCHAR
SELECT verifier
FROM benchmarks
WHERE benchmark = $benchmark AND verifier IS NOT NULL
