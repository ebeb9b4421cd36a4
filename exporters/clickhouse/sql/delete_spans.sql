-- Deletes the spans of some traces, as delete_of_traces.sql; the starts lead to the granules.
DELETE FROM spans
WHERE project = {project:String}
    AND start_time >= fromUnixTimestamp64Nano({first:Int64})
    AND start_time <= fromUnixTimestamp64Nano({last:Int64})
    AND trace_id IN {trace_ids:Array(String)}
SETTINGS lightweight_delete_mode = 'lightweight_update_force'
