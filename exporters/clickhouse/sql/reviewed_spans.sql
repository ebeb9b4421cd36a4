SELECT trace_id, span_id
    FROM feedback FINAL
    WHERE project = {project:String} AND NOT removed AND span_id != '' AND /*where*/ 1
