-- The 50 traces of the last 30 days that cost most. cost_total lacks what unpriced_spans would cost.
SELECT
    project,
    trace_id,
    name,
    start_time,
    latency_ns / 1e9 AS latency,
    status,
    user_id,
    session_id,
    span_count,
    input_tokens,
    output_tokens,
    cost_total,
    unpriced_spans
FROM traces FINAL
WHERE cost_total IS NOT NULL AND start_time >= now() - INTERVAL 30 DAY
ORDER BY cost_total DESC, start_time DESC, project, trace_id
LIMIT 50
