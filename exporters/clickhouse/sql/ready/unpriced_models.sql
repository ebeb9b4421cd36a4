-- Models that were used and have no computed price: which, why, how often, and how many tokens.
-- spans counts those of them whose sender reports no cost either: their cost_total is NULL, and every sum lacks them.
SELECT
    provider,
    if(response_model != '', response_model, request_model) AS model,
    unpriced_reason AS reason,
    count() AS spans,
    countIf(cost_source = 'unpriced') AS spans_without_cost,
    sum(ifNull(input_tokens, 0)) + sum(ifNull(output_tokens, 0)) AS tokens
FROM spans FINAL
WHERE unpriced_reason != ''
GROUP BY provider, model, reason
ORDER BY tokens DESC, spans DESC, provider, model, reason
