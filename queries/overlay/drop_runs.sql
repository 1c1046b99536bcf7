-- Takes the runs of a part that is superseded or gone out of memory again.
-- parameters: part VARCHAR
DELETE FROM overlay.runs WHERE part = $part
