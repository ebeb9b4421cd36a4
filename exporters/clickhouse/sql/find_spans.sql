-- The ids of one page of spans, found on narrow columns. Conditions on the sort key choose granules, and hold for every row
-- of a span or for none. All others have to hold for the row that stands for the span, so they are asked after FINAL.
SELECT
    trace_id,
    span_id,
    start_time
FROM spans FINAL
PREWHERE project = {project:String} /*and of the key*/
WHERE 1 /*and of the row*/
ORDER BY /*order*/ span_id
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
