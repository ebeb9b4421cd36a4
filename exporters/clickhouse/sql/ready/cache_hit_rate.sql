-- The share of input tokens of the last 30 days that models read from their cache, and the share of calls that read any. Calls
-- that report no input tokens are left out; one that says nothing of a cache read nothing from it.
SELECT
    project,
    provider,
    if(response_model != '', response_model, request_model) AS model,
    count() AS calls,
    sum(input_tokens) AS all_input_tokens,
    sum(ifNull(cache_read_tokens, 0)) AS all_cache_read_tokens,
    if(all_input_tokens > 0, all_cache_read_tokens / all_input_tokens, NULL) AS token_hit_rate,
    countIf(cache_read_tokens > 0) / calls AS call_hit_rate,
    sum(cost_cache_read) AS cost_of_cache_reads
FROM spans FINAL
WHERE counts AND input_tokens IS NOT NULL AND start_time >= now() - INTERVAL 30 DAY
GROUP BY project, provider, model
ORDER BY all_input_tokens DESC, project, provider, model
