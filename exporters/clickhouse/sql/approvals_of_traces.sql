-- The approved outputs of the spans of some traces.
SELECT trace_id, span_id, output, user_id, toUnixTimestamp64Nano(created_at) AS created_at
FROM approvals FINAL
PREWHERE project = {project:String} AND trace_id IN {trace_ids:Array(String)}
ORDER BY trace_id, span_id
