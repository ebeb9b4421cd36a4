-- tokens_by_week, with these values bound:
--   limit = 10001
--   project = 'default'
--   started_after_ns = 0
--   started_before_ns = 86400000000000
-- The tokens and the cost of the traces that began in each period.
SELECT
    toUnixTimestamp(toDateTime(toMonday(traces.start_time), 'UTC')) AS bucket,
    sum(toInt128(traces.input_tokens)) AS input_tokens,
    sum(toInt128(traces.output_tokens)) AS output_tokens,
    sum(traces.cost_total) AS cost_total
FROM traces FINAL
WHERE project = {project:String}
    AND traces.start_time >= fromUnixTimestamp64Nano({started_after_ns:Int64})
    AND traces.start_time < fromUnixTimestamp64Nano({started_before_ns:Int64})
GROUP BY bucket
ORDER BY bucket
LIMIT {limit:UInt32}
