-- All stored rows of some traces in the order of a list, and whether each matches its filters.
SELECT
    trace_id,
    version,
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
    unpriced_spans,
    (/*where*/ 1) AS matches
FROM traces
PREWHERE project = {project:String} AND trace_id IN {trace_ids:Array(String)}
ORDER BY /*order*/ trace_id, version DESC
