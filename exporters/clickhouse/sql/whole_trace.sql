(project, trace_id) NOT IN
    (
        SELECT project, trace_id
        FROM traces FINAL
        WHERE toUnixTimestamp64Nano(start_time) < transform(toString(project), {expired_projects:Array(String)}, {first_kept:Array(Int64)}, toInt64(0))
            AND toYYYYMMDD(last_start_time) >= toUInt32({partition:String})
    )
