-- Notes that a part is taken back.
-- parameters: part VARCHAR
INSERT INTO overlay.hidden_parts VALUES ($part)
