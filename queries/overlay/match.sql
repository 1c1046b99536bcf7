-- Reads the matches that count; of several of one problem the last.
INSERT INTO overlay.matched
SELECT problem_key, arg_max(to_key, part) AS to_key
FROM stored.matches ANTI JOIN overlay.hidden_parts USING (part)
GROUP BY problem_key
