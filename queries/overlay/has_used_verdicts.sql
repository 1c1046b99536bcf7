-- Whether any sample has a verdict that counts instead of the one it came with.
-- columns: found BOOLEAN
SELECT EXISTS (FROM verdicts WHERE used) AS found
