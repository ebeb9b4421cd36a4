-- As insert_deletions.sql.
INSERT INTO expiries (/*columns*/)
SETTINGS async_insert = 0, optimize_on_insert = 0, insert_deduplicate = 0
