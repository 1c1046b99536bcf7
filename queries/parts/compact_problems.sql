-- The problems of several parts. What each part says of a problem stays, with the name of the part that said it: the
-- first that came counts, and what it leaves open another may know. What says nothing new is left out.
-- A script.
-- parameters: target VARCHAR
-- files: problems
COPY (
    SELECT * EXCLUDE (part), min(part) AS part
    FROM read_parquet([{problems}], union_by_name = true)
    GROUP BY ALL
    ORDER BY problem_key, part
) TO $target (FORMAT parquet, COMPRESSION zstd)
