-- Takes the judgements of a part that is superseded or gone out of memory again.
-- parameters: part VARCHAR
DELETE FROM overlay.judgements WHERE part = $part
