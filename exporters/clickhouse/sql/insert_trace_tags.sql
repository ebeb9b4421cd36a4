-- Every row is new, and none is taken for a repetition.
INSERT INTO trace_tags (/*columns*/)
SETTINGS async_insert = 0, insert_deduplicate = 0
