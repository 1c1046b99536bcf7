-- Takes the outcomes of a part that is superseded or gone out of memory again.
-- parameters: part VARCHAR
DELETE FROM overlay.outcomes WHERE part = $part
