-- Goes on where a problem is matched with one that is matched in its turn; the rows that it changes become none, since
-- matches lead to what was described first.
UPDATE overlay.matched
SET to_key = further.to_key
FROM overlay.matched AS further
WHERE overlay.matched.to_key = further.problem_key
    AND further.to_key <> overlay.matched.to_key
