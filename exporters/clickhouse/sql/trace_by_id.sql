-- The row of one trace.
SELECT
    trace_id,
    status,
    name,
    root_span_id,
    toUnixTimestamp64Nano(start_time) AS start_time,
    toUnixTimestamp64Nano(end_time) AS end_time,
    toUnixTimestamp64Nano(last_start_time) AS last_start_time,
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
WHERE project = {project:String} AND trace_id = {trace_id:String}
