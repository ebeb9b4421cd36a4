-- Models that were used and whose cost could not be computed: why, how often, and how many tokens. spans_without_cost are
-- those of them whose sender reports no cost either: every sum of costs lacks them.
SELECT
    project,
    provider,
    if(response_model != '', response_model, request_model) AS model,
    unpriced_reason AS reason,
    count() AS spans,
    countIf(cost_total IS NULL) AS spans_without_cost,
    sum(ifNull(input_tokens, 0) + ifNull(output_tokens, 0)) AS tokens
FROM spans FINAL
WHERE unpriced_reason != '' AND counts
GROUP BY project, provider, model, reason
ORDER BY tokens DESC, spans DESC, project, provider, model, reason
