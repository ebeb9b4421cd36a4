-- with these values bound:
--   after_span = 'b7ad6b7169203331'
--   after_time = 1767225600000000000
--   after_trace = '0af7651916cd43dd8448eb211c80319c'
--   before_span = 'b7ad6b7169203331'
--   before_time = 1767225600000000000
--   before_trace = '0af7651916cd43dd8448eb211c80319c'
--   kind_0 = 'letta.step'
--   kind_1 = 'lasso.row'
--   kinds = ['LLM']
--   label = 'positive'
--   limit = 50
--   model = 'gpt-4o'
--   names = ['chat']
--   offset = 0
--   own_traces = ['0af7651916cd43dd8448eb211c80319c']
--   project = 'default'
--   referred_0 = ['step-1', 'step-2']
--   referred_1 = ['5:tablerow']
--   session_ids = ['session-1']
--   since = 1767225600000000000
--   span_ids = ['b7ad6b7169203331']
--   started_after_ns = 1767225600000000000
--   started_before_ns = 1767225600000000001
--   tags = ['paid', 'beta']
--   trace_ids = ['0af7651916cd43dd8448eb211c80319c']
--   trace_start_0 = '0af7651916cd43'
--   until = 1767225600000000000
--   uuid_digits = ['0af7651916cd43b7ad6b7169203331', '0af7651916cd43b7ad6b7169203332']
-- The ids of one page of spans, found on narrow columns. Conditions on the sort key choose granules, and hold for every row
-- of a span or for none. All others have to hold for the row that stands for the span, so they are asked after FINAL.
SELECT
    trace_id,
    span_id,
    start_time
FROM spans FINAL
PREWHERE project = {project:String}
    AND toStartOfMinute(start_time) >= toStartOfMinute(fromUnixTimestamp64Nano({since:Int64}))
    AND toStartOfMinute(start_time) <= toStartOfMinute(fromUnixTimestamp64Nano({until:Int64}))
    AND (toStartOfMinute(start_time), trace_id) IN (
    SELECT
        toDateTime(arrayJoin(range(toUnixTimestamp(toStartOfMinute(start_time)), toUnixTimestamp(last_start_time) + 1, 60)), 'UTC'),
        trace_id
    FROM traces FINAL
    WHERE project = {project:String} AND trace_id IN {trace_ids:Array(String)}
    )
    AND (toStartOfMinute(start_time), trace_id) IN (
    SELECT
        toDateTime(arrayJoin(range(toUnixTimestamp(toStartOfMinute(start_time)), toUnixTimestamp(last_start_time) + 1, 60)), 'UTC'),
        trace_id
    FROM traces FINAL
    WHERE project = {project:String} AND session_id IN {session_ids:Array(String)}
    )
    AND span_id IN {span_ids:Array(String)}
    AND (toStartOfMinute(start_time), trace_id) IN (
    SELECT
        toDateTime(arrayJoin(range(toUnixTimestamp(toStartOfMinute(start_time)), toUnixTimestamp(last_start_time) + 1, 60)), 'UTC'),
        trace_id
    FROM traces FINAL
    WHERE project = {project:String} AND (startsWith(trace_id, {trace_start_0:String}))
    )
    AND concat(substring(trace_id, 1, 14), span_id) IN {uuid_digits:Array(String)}
    AND ((toStartOfMinute(start_time), trace_id) IN (
    SELECT
        toDateTime(arrayJoin(range(toUnixTimestamp(toStartOfMinute(start_time)), toUnixTimestamp(last_start_time) + 1, 60)), 'UTC'),
        trace_id
    FROM traces FINAL
    WHERE project = {project:String} AND trace_id IN {own_traces:Array(String)}
    ) OR (toStartOfMinute(start_time), trace_id, span_id) IN (
    SELECT toStartOfMinute(start_time), trace_id, span_id
    FROM span_references
    WHERE project = {project:String} AND kind = {kind_0:String} AND value IN {referred_0:Array(String)}
    ) OR (toStartOfMinute(start_time), trace_id, span_id) IN (
    SELECT toStartOfMinute(start_time), trace_id, span_id
    FROM span_references
    WHERE project = {project:String} AND kind = {kind_1:String} AND value IN {referred_1:Array(String)}
    ))
    AND (toStartOfMinute(start_time), trace_id) IN (
    SELECT
        toDateTime(arrayJoin(range(toUnixTimestamp(toStartOfMinute(start_time)), toUnixTimestamp(last_start_time) + 1, 60)), 'UTC'),
        trace_id
    FROM traces FINAL
    WHERE project = {project:String} AND trace_id IN (
    SELECT trace_id
    FROM feedback FINAL
    WHERE project = {project:String} AND NOT removed AND span_id != '' AND label = {label:String}
    )
    )
    AND (trace_id, span_id) IN (
    SELECT trace_id, span_id
    FROM feedback FINAL
    WHERE project = {project:String} AND NOT removed AND span_id != '' AND label = {label:String}
    )
    AND (toStartOfMinute(start_time), trace_id) IN (
    SELECT
        toDateTime(arrayJoin(range(toUnixTimestamp(toStartOfMinute(start_time)), toUnixTimestamp(last_start_time) + 1, 60)), 'UTC'),
        trace_id
    FROM traces FINAL
    WHERE project = {project:String} AND trace_id IN (
    SELECT trace_id
    FROM feedback FINAL
    WHERE project = {project:String} AND NOT removed AND span_id != '' AND label != ''
    )
    )
    AND (trace_id, span_id) IN (
    SELECT trace_id, span_id
    FROM feedback FINAL
    WHERE project = {project:String} AND NOT removed AND span_id != '' AND label != ''
    )
WHERE 1
    AND kind IN {kinds:Array(String)}
    AND name IN {names:Array(String)}
    AND (request_model = {model:String} OR response_model = {model:String})
    AND start_time >= fromUnixTimestamp64Nano({started_after_ns:Int64})
    AND start_time < fromUnixTimestamp64Nano({started_before_ns:Int64})
    AND (counts OR (input_tokens IS NULL AND output_tokens IS NULL AND cost_total IS NULL))
    AND (hasAny(tags, {tags:Array(String)}) OR (trace_id, span_id) IN (
    SELECT trace_id, span_id
    FROM feedback FINAL
    WHERE project = {project:String} AND NOT removed AND span_id != '' AND hasAny(tags, {tags:Array(String)})
    ))
    AND (start_time, trace_id, span_id) < (fromUnixTimestamp64Nano({after_time:Int64}), {after_trace:String}, {after_span:String})
    AND (start_time, trace_id, span_id) > (fromUnixTimestamp64Nano({before_time:Int64}), {before_trace:String}, {before_span:String})
ORDER BY start_time DESC, trace_id DESC, span_id DESC
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
