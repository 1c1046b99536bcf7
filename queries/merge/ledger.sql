-- Records that a part has been merged; in the same transaction as its rows.
-- parameters: part VARCHAR, manifest VARCHAR
INSERT INTO ledger VALUES ($part, now()::TIMESTAMP, $manifest)
