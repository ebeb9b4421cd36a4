-- with these values bound:
--   before_span = 'b7ad6b7169203331'
--   before_time = 1767225600000000000
--   before_trace = '0af7651916cd43dd8448eb211c80319c'
--   limit = 50
--   offset = 0
--   project = 'default'
--   since = 1767225600000000000
-- The ids of one page of spans, found on narrow columns. Conditions on the sort key choose granules, and hold for every row
-- of a span or for none. All others have to hold for the row that stands for the span, so they are asked after FINAL.
SELECT
    trace_id,
    span_id,
    start_time
FROM spans FINAL
PREWHERE project = {project:String}
    AND toStartOfMinute(start_time) >= toStartOfMinute(fromUnixTimestamp64Nano({since:Int64}))
WHERE 1
    AND (start_time, trace_id, span_id) > (fromUnixTimestamp64Nano({before_time:Int64}), {before_trace:String}, {before_span:String})
ORDER BY start_time ASC, trace_id ASC, span_id ASC
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
