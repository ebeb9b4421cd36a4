-- As insert_spans.sql; one block, which is there whole or not at all. Not a repetition of anything.
INSERT INTO deletions (/*columns*/)
SETTINGS async_insert = 0, optimize_on_insert = 0, insert_deduplicate = 0
