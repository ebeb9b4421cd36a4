-- What people think of some traces, in the order in which it was first given.
SELECT
    feedback_id,
    trace_id,
    span_id,
    user_id,
    label,
    score,
    content,
    tags,
    source,
    toUnixTimestamp64Nano(created_at) AS created_at
FROM feedback FINAL
PREWHERE project = {project:String} AND trace_id IN {trace_ids:Array(String)}
WHERE NOT removed
ORDER BY trace_id, feedback.created_at, feedback_id
LIMIT {limit:UInt32} BY trace_id
