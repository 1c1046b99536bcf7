-- Takes the models of a part that is superseded or gone out of memory again.
-- parameters: part VARCHAR
DELETE FROM overlay.models WHERE part = $part
