-- The tools that took longest in the last 30 days, in seconds, with how often they failed.
SELECT
    project,
    if(tool_name != '', tool_name, name) AS tool,
    count() AS calls,
    quantile(0.5)(latency_ns) / 1e9 AS latency_p50,
    quantile(0.95)(latency_ns) / 1e9 AS latency_p95,
    max(latency_ns) / 1e9 AS latency_max,
    sum(latency_ns) / 1e9 AS latency_sum,
    countIf(status_code = 'ERROR') AS errors
FROM spans FINAL
WHERE kind = 'TOOL' AND start_time >= now() - INTERVAL 30 DAY
GROUP BY project, tool
ORDER BY latency_p95 DESC NULLS LAST, project, tool
LIMIT 50
