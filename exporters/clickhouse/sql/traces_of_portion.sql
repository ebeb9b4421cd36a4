-- The rows of the traces that begin in some minutes. Times as integers.
SELECT
    trace_id,
    version,
    status,
    name,
    root_span_id,
    toUnixTimestamp64Nano(start_time) AS start_time,
    toUnixTimestamp64Nano(last_start_time) AS last_start_time,
    toUnixTimestamp64Nano(end_time) AS end_time,
    latency_ns,
    service_name,
    environment,
    release,
    session_id,
    user_id,
    tags,
    span_count,
    error_count,
    input_tokens,
    output_tokens,
    cost_total,
    unpriced_spans
FROM traces FINAL
WHERE project = {project:String}
    AND traces.start_time >= fromUnixTimestamp64Nano({first:Int64})
    AND traces.start_time < fromUnixTimestamp64Nano({end:Int64})
    AND cityHash64(trace_id) % {buckets:UInt32} = {bucket:UInt32}
    AND traces.last_start_time >= fromUnixTimestamp64Nano({since:Int64})
    AND traces.start_time < fromUnixTimestamp64Nano({until:Int64})
ORDER BY trace_id
SETTINGS output_format_arrow_string_as_string = 1
