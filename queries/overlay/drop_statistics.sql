-- Takes the statistics of a part that is superseded or gone out of memory again.
-- parameters: part VARCHAR
DELETE FROM overlay.statistics WHERE part = $part
