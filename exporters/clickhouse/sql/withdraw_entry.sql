-- Takes back that spans went to the store, because it refused them; what was rejected stays.
INSERT INTO ledger (entry, project, day, rejected, written_at)
SETTINGS async_insert = 0, insert_deduplicate = 0
SELECT entry, project, day, rejected, addMicroseconds(ledger.written_at, 1)
FROM ledger FINAL
WHERE entry = {entry:String}
