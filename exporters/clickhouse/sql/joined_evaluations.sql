-- Rows of evaluations: those under the ids of one trace, or those under the ids of responses alone.
SELECT
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
