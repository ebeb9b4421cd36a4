-- models_by_week, with these values bound:
--   limit = 10
--   project = 'default'
--   started_after_ns = 0
--   started_before_ns = 86400000000000
-- The models that were called most, by the spans that count and began in a period.
SELECT
    if(response_model = '', request_model, response_model) AS model,
    count() AS call_count,
    sum(toInt128(spans.input_tokens)) AS input_tokens,
    sum(toInt128(spans.output_tokens)) AS output_tokens,
    sum(spans.cost_total) AS cost_total
FROM spans FINAL
WHERE project = {project:String}
    AND spans.start_time >= fromUnixTimestamp64Nano({started_after_ns:Int64})
    AND spans.start_time < fromUnixTimestamp64Nano({started_before_ns:Int64})
    AND counts
    AND model != ''
GROUP BY model
ORDER BY call_count DESC, model
LIMIT {limit:UInt32}
