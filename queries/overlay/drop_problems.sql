-- Takes the problems of a part that is superseded or gone out of memory again.
-- parameters: part VARCHAR
DELETE FROM overlay.problems WHERE part = $part
