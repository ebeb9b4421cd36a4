-- with these values bound:
--   limit = 50
--   offset = 0
--   project = 'default'
--   trace_start_0 = '0af7651916cd43'
--   uuid_digits = ['0af7651916cd43b7ad6b7169203331', '0af7651916cd43b7ad6b7169203332']
-- The ids of one page of spans, found on narrow columns. Conditions on the sort key choose granules, and hold for every row
-- of a span or for none. All others have to hold for the row that stands for the span, so they are asked after FINAL.
SELECT
    trace_id,
    span_id,
    start_time
FROM spans FINAL
PREWHERE project = {project:String}
    AND (toStartOfMinute(start_time), trace_id) IN (
    SELECT
        toDateTime(arrayJoin(range(toUnixTimestamp(toStartOfMinute(start_time)), toUnixTimestamp(last_start_time) + 1, 60)), 'UTC'),
        trace_id
    FROM traces FINAL
    WHERE project = {project:String} AND (startsWith(trace_id, {trace_start_0:String}))
    )
    AND concat(substring(trace_id, 1, 14), span_id) IN {uuid_digits:Array(String)}
WHERE 1
ORDER BY start_time DESC, trace_id DESC, span_id DESC
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
