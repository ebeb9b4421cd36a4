-- What was stored before there was a ledger.
INSERT INTO ledger (entry, project, day, accepted)
SELECT 'opening balance', project, toDate(start_time) AS day, count()
FROM spans FINAL
GROUP BY project, day
