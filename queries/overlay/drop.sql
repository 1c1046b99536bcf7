-- Takes the rows of a part that is superseded or gone out of memory again.
-- parameters: part VARCHAR
-- tables: all
DELETE FROM overlay.{table} WHERE waiting_in = $part
