-- Whether any sample has a verdict that counts instead of the one it came with, or anything was taken back.
-- columns: found BOOLEAN
SELECT EXISTS (FROM stored.verdicts WHERE used)
    OR EXISTS (FROM overrides)
    OR EXISTS (FROM overlay.hidden_parts)
    OR EXISTS (FROM overlay.removed_runs) AS found
