-- How many spans of some traces there are, by day since the epoch, and which answers of models they tell of.
SELECT
    toInt32(toDate32(start_time)) AS day,
    count() AS spans,
    groupUniqArrayIf(response_id, response_id != '') AS response_ids
FROM spans FINAL
WHERE project = {project:String}
    AND start_time >= fromUnixTimestamp64Nano({first:Int64})
    AND start_time <= fromUnixTimestamp64Nano({last:Int64})
    AND trace_id IN {trace_ids:Array(String)}
GROUP BY day
SETTINGS output_format_arrow_string_as_string = 1
