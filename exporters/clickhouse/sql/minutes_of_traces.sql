SELECT
        toDateTime(arrayJoin(range(toUnixTimestamp(toStartOfMinute(start_time)), toUnixTimestamp(last_start_time) + 1, 60)), 'UTC'),
        trace_id
    FROM traces FINAL
    WHERE project = {project:String} AND /*where*/ 1
