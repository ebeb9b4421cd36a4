-- What each model cost on each of the last 30 days (UTC), with its calls and tokens. cost_total lacks the unpriced_calls.
SELECT
    project,
    toDate(start_time) AS day,
    provider,
    if(response_model != '', response_model, request_model) AS model,
    count() AS calls,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens,
    sum(cost_total) AS cost_total,
    countIf(unpriced_reason != '' AND spans.cost_total IS NULL) AS unpriced_calls
FROM spans FINAL
WHERE counts AND start_time >= now() - INTERVAL 30 DAY
GROUP BY project, day, provider, model
ORDER BY day DESC, cost_total DESC NULLS LAST, project, provider, model
