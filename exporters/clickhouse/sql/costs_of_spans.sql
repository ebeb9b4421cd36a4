-- The costs of some spans, and the evidence for them.
SELECT
    project,
    trace_id,
    span_id,
    toUnixTimestamp64Nano(start_time) AS start_time,
    input_tokens,
    output_tokens/*, more*/
FROM spans FINAL
WHERE spans.start_time >= fromUnixTimestamp64Nano({first:Int64})
    AND spans.start_time <= fromUnixTimestamp64Nano({last:Int64})
    AND trace_id IN {trace_ids:Array(String)}
    AND concat(trace_id, span_id) IN {spans:Array(String)}
    AND cost_source IN ('computed', 'reported')
SETTINGS output_format_arrow_string_as_string = 1
