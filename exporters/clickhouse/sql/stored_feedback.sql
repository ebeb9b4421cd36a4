-- When feedback was first given, and when its row was written, in microseconds.
SELECT
    trace_id,
    feedback_id,
    toUnixTimestamp64Micro(created_at) AS created_at,
    toUnixTimestamp64Micro(updated_at) AS updated_at,
    removed
FROM feedback FINAL
PREWHERE project = {project:String} AND trace_id IN {trace_ids:Array(String)} AND feedback_id IN {feedback_ids:Array(String)}
SETTINGS output_format_arrow_string_as_string = 1
