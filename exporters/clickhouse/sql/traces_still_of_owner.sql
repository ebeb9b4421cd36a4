-- Of some traces, those of which a span names a session or a user, or the row, which may outlive its spans.
SELECT trace_id
FROM spans FINAL
WHERE project = {project:String}
    AND start_time >= fromUnixTimestamp64Nano({first:Int64})
    AND start_time <= fromUnixTimestamp64Nano({last:Int64})
    AND trace_id IN {trace_ids:Array(String)}
    AND /*owner*/ = {owner:String}
UNION DISTINCT
SELECT trace_id
FROM traces FINAL
WHERE project = {project:String} AND trace_id IN {trace_ids:Array(String)} AND /*owner*/ = {owner:String}
SETTINGS output_format_arrow_string_as_string = 1
