-- As insert_spans.sql; a row replaces the one of the same entry, and is no repetition of it.
INSERT INTO ledger (/*columns*/)
SETTINGS async_insert = 0, optimize_on_insert = 0, insert_deduplicate = 0
SELECT /*columns*/ FROM Python(arriving)
