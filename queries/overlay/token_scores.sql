-- Scores by token while every part has been merged.
-- A script.
CREATE OR REPLACE VIEW token_scores AS FROM base.token_scores
