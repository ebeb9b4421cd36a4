-- Deletes all rows of some spans that start in some minutes. Writes nothing but a mark for these rows.
DELETE FROM spans
WHERE project = {project:String}
    AND start_time >= fromUnixTimestamp64Nano({first:Int64})
    AND start_time < fromUnixTimestamp64Nano({last:Int64})
    AND trace_id IN {trace_ids:Array(String)}
    AND concat(trace_id, span_id, toString(intDiv(toUnixTimestamp64Nano(start_time), 60000000000))) IN {rows:Array(String)}
SETTINGS lightweight_delete_mode = 'lightweight_update_force'
