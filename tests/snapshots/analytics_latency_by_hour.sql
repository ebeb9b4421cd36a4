-- latency_by_hour, with these values bound:
--   limit = 10001
--   project = 'default'
--   started_after_ns = 0
--   started_before_ns = 86400000000000
-- How many traces began in each period, how many of them failed, and how long they took (ns; NULL where none has ended).
SELECT
    toUnixTimestamp(toStartOfHour(traces.start_time)) AS bucket,
    count() AS trace_count,
    countIf(status = 'ERROR') AS error_count,
    avg(toFloat64(latency_ns)) AS latency_average,
    quantileExactInclusive(0.5)(latency_ns) AS latency_p50,
    quantileExactInclusive(0.9)(latency_ns) AS latency_p90,
    quantileExactInclusive(0.99)(latency_ns) AS latency_p99
FROM traces FINAL
WHERE project = {project:String}
    AND traces.start_time >= fromUnixTimestamp64Nano({started_after_ns:Int64})
    AND traces.start_time < fromUnixTimestamp64Nano({started_before_ns:Int64})
GROUP BY bucket
ORDER BY bucket
LIMIT {limit:UInt32}
