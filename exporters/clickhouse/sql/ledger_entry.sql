-- Whether an entry is there, and what it counts.
SELECT count() AS lines, sum(accepted) AS accepted
FROM ledger FINAL
WHERE entry = {entry:String}
