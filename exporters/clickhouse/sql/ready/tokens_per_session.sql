-- The 100 sessions of the last 30 days that used most tokens, with their traces and their cost. cost_total lacks what
-- unpriced_spans would cost.
SELECT
    project,
    session_id,
    count() AS traces,
    sum(input_tokens) AS all_input_tokens,
    sum(output_tokens) AS all_output_tokens,
    all_input_tokens + all_output_tokens AS tokens,
    sum(cost_total) AS cost,
    sum(unpriced_spans) AS unpriced_spans,
    min(start_time) AS first_start,
    max(last_start_time) AS last_start
FROM traces FINAL
WHERE session_id != '' AND start_time >= now() - INTERVAL 30 DAY
GROUP BY project, session_id
ORDER BY tokens DESC, project, session_id
LIMIT 100
