-- All stored rows of one trace. The start times between which its row says that they lie lead to the granules. Sorting
-- is cheaper on the few rows found.
WITH
    (
        SELECT (start_time, last_start_time)
        FROM traces FINAL
        PREWHERE project = {project:String} AND trace_id = {trace_id:String}
    ) AS extent
SELECT /*columns*/ *
FROM spans
PREWHERE project = {project:String}
    AND start_time >= extent.1
    AND start_time <= extent.2
    AND trace_id = {trace_id:String}
