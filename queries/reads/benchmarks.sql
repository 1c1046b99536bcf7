-- Every benchmark, those that came with imported results among them: its problems, and how many can be asked and verified.
-- columns: benchmark VARCHAR, verifier VARCHAR, source VARCHAR, metadata VARCHAR, problems BIGINT, statements BIGINT
-- columns: answers BIGINT, runs BIGINT
WITH asked AS (
    SELECT
        benchmark,
        count(*) AS problems,
        count(statement) AS statements,
        count(reference) AS answers
    FROM problems
    GROUP BY benchmark
), counted AS (
    SELECT benchmark, count(*) AS runs
    FROM runs
    GROUP BY benchmark
)
SELECT
    benchmark,
    benchmarks.verifier,
    benchmarks.source,
    benchmarks.metadata,
    coalesce(asked.problems, 0) AS problems,
    coalesce(asked.statements, 0) AS statements,
    coalesce(asked.answers, 0) AS answers,
    coalesce(counted.runs, 0) AS runs
FROM asked
FULL JOIN counted USING (benchmark)
FULL JOIN benchmarks USING (benchmark)
ORDER BY benchmark
