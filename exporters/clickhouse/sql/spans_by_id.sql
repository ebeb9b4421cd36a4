-- The stored rows of spans that were found: the whole key leads to their granules, content is read of no others. Ids are taken
-- for themselves, so that a span with the trace id of one that was found and the span id of another may be among the rows.
SELECT
    trace_id,
    /*columns*/ *
FROM spans
PREWHERE project = {project:String}
    AND toStartOfMinute(start_time) IN {minutes:Array(DateTime('UTC'))}
    AND trace_id IN {trace_ids:Array(String)}
    AND span_id IN {span_ids:Array(String)}
