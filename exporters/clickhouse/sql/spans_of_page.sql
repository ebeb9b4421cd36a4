-- All stored rows of some traces. The minutes in which their rows say that their spans lie lead to the granules, and the
-- first and the last start to the parts.
SELECT
    trace_id,
    /*columns*/ *
FROM spans
PREWHERE project = {project:String}
    AND start_time >= fromUnixTimestamp64Nano({first:Int64})
    AND start_time <= fromUnixTimestamp64Nano({last:Int64})
    AND toStartOfMinute(start_time) IN {minutes:Array(DateTime('UTC'))}
    AND trace_id IN {trace_ids:Array(String)}
