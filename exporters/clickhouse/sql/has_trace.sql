-- Whether there is this trace.
SELECT count() > 0 AS found FROM traces FINAL PREWHERE project = {project:String} AND trace_id = {trace_id:String}
