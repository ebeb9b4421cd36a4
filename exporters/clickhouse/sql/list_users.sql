-- One page of users, those first of whom the latest trace began last.
SELECT
    user_id,
    count() AS trace_count,
    toUnixTimestamp64Nano(min(traces.start_time)) AS first_start_time,
    toUnixTimestamp64Nano(max(traces.start_time)) AS last_start_time,
    countIf(status = 'ERROR') AS error_count
FROM traces FINAL
WHERE project = {project:String} AND user_id != ''
GROUP BY user_id
ORDER BY max(traces.start_time) DESC, user_id
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
