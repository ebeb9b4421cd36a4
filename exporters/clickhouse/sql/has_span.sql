-- Whether there is this span; as in spans_of_trace.sql, the row of its trace says where it lies.
WITH
    (
        SELECT (start_time, last_start_time)
        FROM traces FINAL
        PREWHERE project = {project:String} AND trace_id = {trace_id:String}
    ) AS extent
SELECT count() > 0 AS found
FROM spans
PREWHERE project = {project:String}
    AND start_time >= extent.1
    AND start_time <= extent.2
    AND trace_id = {trace_id:String}
    AND span_id = {span_id:String}
