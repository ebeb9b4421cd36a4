-- What a trace row is made of. Times and money as integers: ns, and 1e-12 USD. Position: what was written later has the
-- larger one.
SELECT
    trace_id,
    span_id,
    parent_span_id,
    toUnixTimestamp64Milli(received_at) AS received_at,
    toUnixTimestamp64Nano(start_time) AS start_time,
    toUnixTimestamp64Nano(end_time) AS end_time,
    name,
    kind,
    operation,
    status_code,
    service_name,
    environment,
    release,
    session_id,
    user_id,
    response_id,
    scope_name,
    request_model,
    response_model,
    tags,
    input_tokens,
    output_tokens,
    toInt64(toDecimal128(cost_total, 12) * 1000000000000) AS cost,
    counts,
    toInt64(_block_number) AS position/*, more*/
FROM spans
WHERE project = {project:String}
    AND spans.start_time >= fromUnixTimestamp64Nano({first:Int64})
    AND spans.start_time <= fromUnixTimestamp64Nano({last:Int64})
    AND trace_id IN {trace_ids:Array(String)}
SETTINGS output_format_arrow_string_as_string = 1
