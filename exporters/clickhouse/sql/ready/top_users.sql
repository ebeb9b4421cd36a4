-- The 50 users who cost most in the last 30 days. cost_total lacks what unpriced_spans would cost.
SELECT
    project,
    user_id,
    count() AS traces,
    uniqExactIf(session_id, session_id != '') AS sessions,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens,
    sum(cost_total) AS cost_total,
    sum(unpriced_spans) AS unpriced_spans,
    max(start_time) AS last_seen
FROM traces FINAL
WHERE user_id != '' AND start_time >= now() - INTERVAL 30 DAY
GROUP BY project, user_id
ORDER BY cost_total DESC NULLS LAST, traces DESC, project, user_id
LIMIT 50
