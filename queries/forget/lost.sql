-- How much does not count and would be dropped: samples and their texts, and judgements that a person has withdrawn or
-- said otherwise since.
-- columns: samples BIGINT, texts BIGINT, judgements BIGINT
WITH said AS (
    SELECT
        judgement,
        created = max(created) OVER (PARTITION BY run_key, problem_key, sample, author) AND judgement <> 'withdrawn' AS lasts
    FROM counted.judgements
    WHERE version IS NULL AND judgement IS NOT NULL
)
SELECT
    (SELECT count(*) FROM overlay.hidden_samples) AS samples,
    (SELECT count(*) FROM stored.texts SEMI JOIN overlay.hidden_samples USING (run_key, problem_key, sample)) AS texts,
    (SELECT count(*) FROM said WHERE NOT lasts) AS judgements
