-- Takes the sources of a part that is superseded or gone out of memory again.
-- parameters: part VARCHAR
DELETE FROM overlay.sources WHERE part = $part
