-- Which spans of some traces are stored.
SELECT DISTINCT trace_id, span_id
FROM spans
WHERE project = {project:String}
    AND start_time >= fromUnixTimestamp64Nano({first:Int64})
    AND start_time <= fromUnixTimestamp64Nano({last:Int64})
    AND trace_id IN {trace_ids:Array(String)}
SETTINGS output_format_arrow_string_as_string = 1
