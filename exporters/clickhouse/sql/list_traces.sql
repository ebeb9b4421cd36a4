-- The ids of one page of traces, by the rows that stand.
SELECT trace_id, version
FROM traces FINAL
WHERE /*where*/ 1
ORDER BY /*order*/ trace_id
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
