-- Takes back that spans went to the store, because it refused them; what was rejected stays.
INSERT INTO ledger (entry, project, day, rejected)
SETTINGS async_insert = 0, insert_deduplicate = 0
SELECT entry, project, day, rejected
FROM ledger FINAL
WHERE entry = {entry:String}
