-- Feedback is an evaluation by a person: who that is.
ALTER TABLE evaluations ADD COLUMN user_id String COMMENT 'Attribute user.id of the event: the person who evaluated' CODEC(ZSTD(1)) AFTER explanation
