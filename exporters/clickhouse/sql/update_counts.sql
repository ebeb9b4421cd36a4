-- Changes whether some stored spans count: writes nothing but this column of these rows.
UPDATE spans
SET counts = {counts:Bool}
WHERE project = {project:String}
    AND start_time >= fromUnixTimestamp64Nano({first:Int64})
    AND start_time <= fromUnixTimestamp64Nano({last:Int64})
    AND trace_id IN {trace_ids:Array(String)}
    AND concat(trace_id, span_id) IN {spans:Array(String)}
    AND counts != {counts:Bool}
