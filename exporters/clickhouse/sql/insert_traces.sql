-- As insert_spans.sql; but every row is new, by its version: nothing may be taken for a repetition.
INSERT INTO traces (/*columns*/)
SETTINGS async_insert = 0, optimize_on_insert = 0, insert_deduplicate = 0
