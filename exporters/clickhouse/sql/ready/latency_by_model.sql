-- How long model calls of the last 30 days took, and how long until the first token of streamed ones, in seconds: the median
-- and the time within which 95 of 100 calls were done. A call that two spans tell of is one.
SELECT
    project,
    provider,
    if(response_model != '', response_model, request_model) AS model,
    count() AS calls,
    quantile(0.5)(latency_ns) / 1e9 AS latency_p50,
    quantile(0.95)(latency_ns) / 1e9 AS latency_p95,
    count(time_to_first_token_ns) AS streamed_calls,
    quantile(0.5)(time_to_first_token_ns) / 1e9 AS first_token_p50,
    quantile(0.95)(time_to_first_token_ns) / 1e9 AS first_token_p95
FROM spans FINAL
WHERE kind IN ('LLM', 'EMBEDDING', 'RERANKER') AND (counts OR coalesce(input_tokens, output_tokens) IS NULL)
    AND start_time >= now() - INTERVAL 30 DAY
GROUP BY project, provider, model
ORDER BY latency_p95 DESC NULLS LAST, project, provider, model
