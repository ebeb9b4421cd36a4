-- The present rows of some traces: their versions, and where their spans lie.
SELECT
    trace_id,
    version,
    toUnixTimestamp64Nano(start_time) AS first,
    toUnixTimestamp64Nano(last_start_time) AS last
FROM traces FINAL
WHERE project = {project:String} AND trace_id IN {trace_ids:Array(String)}
SETTINGS output_format_arrow_string_as_string = 1
