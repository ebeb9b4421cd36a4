SELECT toStartOfMinute(start_time), trace_id, span_id
    FROM span_references
    WHERE project = {project:String} AND kind = {kind:String} AND value IN {referred:Array(String)}
