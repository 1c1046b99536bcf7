-- Scores by token while parts wait: the merged ones and the parts' files.
-- A script.
-- files: token_scores
CREATE OR REPLACE VIEW token_scores AS
FROM base.token_scores
UNION ALL BY NAME FROM read_parquet([{token_scores}])
