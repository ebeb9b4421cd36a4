-- As insert_spans.sql; but every row is new, by its time: nothing may be taken for a repetition.
INSERT INTO feedback (/*columns*/)
SETTINGS async_insert = 0, insert_deduplicate = 0
