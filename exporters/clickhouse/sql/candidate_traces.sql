-- The first rows of an order, whether they still stand or not: without FINAL it takes the same time however many parts there are.
SELECT trace_id, version
FROM traces
WHERE /*where*/ 1
ORDER BY /*order*/ trace_id, version DESC
LIMIT {rows:UInt32}
