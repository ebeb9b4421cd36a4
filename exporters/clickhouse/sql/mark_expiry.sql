-- Notes how far an expiry has come.
INSERT INTO expiries (entry, table, partition, project, until, rows, noted_at, step)
SETTINGS async_insert = 0, optimize_on_insert = 0, insert_deduplicate = 0
SELECT entry, table, partition, project, until, rows, noted_at, {step:UInt8}
FROM expiries FINAL
WHERE entry = {entry:String} AND step < {step:UInt8}
