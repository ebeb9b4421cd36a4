-- Changes the cost columns of the spans that have new values: writes nothing but these columns of these rows.
UPDATE spans
SET
    /*assignments*/
WHERE project = {project:String}
    AND start_time >= fromUnixTimestamp64Nano({first:Int64})
    AND start_time <= fromUnixTimestamp64Nano({last:Int64})
    AND trace_id IN {trace_ids:Array(String)}
    AND joinGet('repricing_values', 'changed', trace_id, span_id)
