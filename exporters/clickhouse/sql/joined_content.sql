-- Rows of span_content: those under the ids of one trace or of some spans, or those under the ids of responses alone.
SELECT
    trace_id,
    span_id,
    response_id,
    time,
    received_at,
    request,
    position,
    complete,
    input,
    output,
    system_instructions,
    tool_definitions,
    error,
    error_type
FROM span_content
PREWHERE project = {project:String} AND /*owner*/ 1
