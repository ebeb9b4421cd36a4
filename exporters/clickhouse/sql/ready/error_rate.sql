-- The share of spans of the last 30 days that failed, by service and by what was called, with their most frequent errors. A
-- model call that two spans tell of is one; one without usage, as most that fail, does not count towards usage and is here.
SELECT
    project,
    service_name,
    kind,
    multiIf(response_model != '', response_model, request_model != '', request_model, tool_name != '', tool_name, name) AS called,
    count() AS spans,
    countIf(status_code = 'ERROR') AS errors,
    errors / spans AS error_rate,
    topKIf(3)(error_type, status_code = 'ERROR') AS error_types
FROM spans FINAL
WHERE (kind NOT IN ('LLM', 'EMBEDDING', 'RERANKER') OR counts OR coalesce(input_tokens, output_tokens) IS NULL)
    AND start_time >= now() - INTERVAL 30 DAY
GROUP BY project, service_name, kind, called
ORDER BY error_rate DESC, errors DESC, spans DESC, project, service_name, kind, called
