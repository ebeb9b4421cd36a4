-- The approval of one span, its time in microseconds.
SELECT output, user_id, toUnixTimestamp64Micro(created_at) AS created_at
FROM approvals FINAL
PREWHERE project = {project:String} AND trace_id = {trace_id:String} AND span_id = {span_id:String}
SETTINGS output_format_arrow_string_as_string = 1
