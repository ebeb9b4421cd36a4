-- with these values bound:
--   kinds = ['LLM']
--   limit = 20
--   offset = 20
--   project = 'default'
--   trace_ids = ['0af7651916cd43dd8448eb211c80319c']
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
    WHERE project = {project:String} AND trace_id IN {trace_ids:Array(String)}
    )
WHERE 1
    AND kind IN {kinds:Array(String)}
ORDER BY start_time DESC, trace_id DESC, span_id DESC
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
