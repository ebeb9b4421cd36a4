-- All stored rows of one trace. The start times between which its row says that they lie lead to the granules. Plain
-- columns only, and no more than the views need: each costs planning time, and sorting is cheaper on the few rows found.
WITH
    (
        SELECT (start_time, last_start_time)
        FROM traces FINAL
        PREWHERE project = {project:String} AND trace_id = {trace_id:String}
    ) AS extent
SELECT
    span_id,
    parent_span_id,
    received_at,
    name,
    kind,
    status_code,
    status_message,
    start_time,
    end_time,
    latency_ns,
    time_to_first_token_ns,
    provider,
    operation,
    request_model,
    response_model,
    session_id,
    user_id,
    agent_name,
    tool_name,
    tool_call_id,
    finish_reasons,
    tags,
    input,
    output,
    system_instructions,
    tool_definitions,
    tool_calls,
    input_tokens,
    output_tokens,
    cache_read_tokens,
    cache_write_tokens,
    reasoning_tokens,
    token_basis,
    cost_input,
    cost_output,
    cost_total,
    cost_source,
    price_provider,
    price_model,
    price_version,
    price_tier,
    price_effective_date,
    unpriced_reason,
    error,
    error_type,
    attributes_string,
    attributes_int,
    attributes_double,
    attributes_bool,
    attributes_json,
    resource,
    scope_name,
    scope_version,
    events,
    links,
    cut_attributes,
    cut_values,
    cut_events,
    cut_links
FROM spans
PREWHERE project = {project:String}
    AND start_time >= extent.1
    AND start_time <= extent.2
    AND trace_id = {trace_id:String}
