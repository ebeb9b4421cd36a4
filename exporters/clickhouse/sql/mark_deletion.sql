-- Notes how far a deletion has come.
INSERT INTO deletions (project, what, id, requested_at, entry, first_start, last_start, step)
SETTINGS async_insert = 0, optimize_on_insert = 0, insert_deduplicate = 0
SELECT project, what, id, requested_at, entry, first_start, last_start, {step:UInt8}
FROM deletions FINAL
WHERE entry = {entry:String} AND step < {step:UInt8}
