-- Copies the ledger of the attached base into a new one.
INSERT INTO ledger FROM base.ledger
