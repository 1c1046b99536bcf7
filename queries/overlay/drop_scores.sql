-- Takes the scores of a part that is superseded or gone out of memory again.
-- parameters: part VARCHAR
DELETE FROM overlay.scores WHERE part = $part
