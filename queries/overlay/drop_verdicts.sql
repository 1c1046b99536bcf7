-- Takes the verdicts beside the first of a part that is superseded or gone out of memory again.
-- parameters: part VARCHAR
DELETE FROM overlay.verdicts WHERE part = $part
