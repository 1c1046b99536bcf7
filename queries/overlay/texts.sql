-- Texts while every part has been merged.
-- A script.
CREATE OR REPLACE VIEW texts AS FROM base.texts
