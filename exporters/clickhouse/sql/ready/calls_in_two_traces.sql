-- Calls that two instrumentations probably report in two traces, so that both count: one scope's call runs while the other's
-- does, with the same response id, or without one with the same model and usage; of several that fit, the one that begins
-- next. Mend it in the program that is traced: let one of the two scopes make no spans, or let the outer one put its span
-- into the context of the inner one.
SELECT
    project,
    outer_scope,
    inner_scope,
    count() AS calls,
    sum(cost) AS cost_counted_twice,
    any(outer_trace_id) AS outer_trace_id,
    any(inner_trace_id) AS inner_trace_id
FROM
(
    SELECT *
    FROM
    (
        SELECT
            outer_call.project AS project,
            outer_call.scope_name AS outer_scope,
            inner_call.scope_name AS inner_scope,
            outer_call.trace_id AS outer_trace_id,
            outer_call.span_id AS outer_span_id,
            inner_call.trace_id AS inner_trace_id,
            inner_call.span_id AS inner_span_id,
            inner_call.start_time AS inner_start_time,
            least(outer_call.cost_total, inner_call.cost_total) AS cost
        FROM spans AS outer_call FINAL
        GLOBAL INNER JOIN spans AS inner_call FINAL
            ON outer_call.project = inner_call.project
            AND outer_call.kind = inner_call.kind
            AND outer_call.service_name = inner_call.service_name
            AND outer_call.input_tokens = inner_call.input_tokens
            AND outer_call.output_tokens = inner_call.output_tokens
            AND toStartOfMinute(outer_call.start_time) = toStartOfMinute(inner_call.start_time)
        WHERE outer_call.counts AND inner_call.counts
            AND outer_call.kind IN ('LLM', 'EMBEDDING', 'RERANKER')
            AND outer_call.trace_id != inner_call.trace_id
            AND outer_call.scope_name != inner_call.scope_name
            AND outer_call.start_time <= inner_call.start_time
            AND inner_call.end_time <= outer_call.end_time
            AND hasAny(
                arrayFilter(model -> model != '', [outer_call.request_model::String, outer_call.response_model::String]),
                [inner_call.request_model::String, inner_call.response_model::String]
            )
            AND (
                outer_call.response_id = inner_call.response_id
                OR outer_call.response_id = ''
                OR inner_call.response_id = ''
            )
        ORDER BY outer_call.start_time, inner_call.start_time
        LIMIT 1 BY inner_scope, inner_trace_id, inner_span_id
    )
    ORDER BY inner_start_time
    LIMIT 1 BY outer_scope, outer_trace_id, outer_span_id
)
GROUP BY project, outer_scope, inner_scope
ORDER BY calls DESC, project, outer_scope, inner_scope
