-- Rows of evaluations: those under the ids of one trace or of some spans, or those under the ids of responses alone.
SELECT
    trace_id,
    span_id,
    response_id,
    time,
    received_at,
    request,
    position,
    name,
    score,
    label,
    explanation,
    user_id
FROM evaluations
PREWHERE project = {project:String} AND /*owner*/ 1
