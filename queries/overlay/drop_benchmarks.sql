-- Takes the benchmarks of a part that is superseded or gone out of memory again.
-- parameters: part VARCHAR
DELETE FROM overlay.benchmarks WHERE part = $part
