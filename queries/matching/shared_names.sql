-- How many problems of two runs have one id, and one reference answer, that no other of theirs has;
-- an id does not count where the references contradict it.
-- parameters: first UBIGINT, second UBIGINT
-- columns: ids BIGINT, reference_answers BIGINT
WITH asked AS (
    SELECT problems.id, problems.reference, tallies.run_key = $first AS of_first
    FROM tallies
    JOIN problems USING (problem_key)
    WHERE tallies.run_key IN ($first, $second)
),
by_id AS (
    SELECT id FROM asked
    GROUP BY id
    HAVING count(*) FILTER (of_first) = 1 AND count(*) FILTER (NOT of_first) = 1 AND count(DISTINCT reference) <= 1
),
by_reference AS (
    SELECT reference FROM asked
    WHERE reference IS NOT NULL
    GROUP BY reference
    HAVING count(*) FILTER (of_first) = 1 AND count(*) FILTER (NOT of_first) = 1
)
SELECT (SELECT count(*) FROM by_id) AS ids, (SELECT count(*) FROM by_reference) AS reference_answers
