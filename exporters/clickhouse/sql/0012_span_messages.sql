-- Spans with their content, wherever it arrived: on the span itself, or as log records under its ids or its response id.
-- Of log records the latest that is complete stands; single messages are put together in the order of their times. The
-- same as the read API does for one trace (../read_joined.py).
CREATE VIEW span_messages AS
WITH
    content AS
    (
        SELECT
            project,
            trace_id,
            span_id,
            if(trace_id = '', response_id, '') AS joined_response_id,
            multiIf(
                countIf(complete AND input != '') > 0, argMaxIf(input, (received_at, request, position), complete AND input != ''),
                countIf(input != '') > 0, concat('[', arrayStringConcat(arrayMap(m -> m.4, arraySort(groupArrayIf((time, received_at, position, substring(input, 2, length(input) - 2)), input != ''))), ','), ']'),
                ''
            ) AS joined_input,
            multiIf(
                countIf(complete AND output != '') > 0, argMaxIf(output, (received_at, request, position), complete AND output != ''),
                countIf(output != '') > 0, concat('[', arrayStringConcat(arrayMap(m -> m.4, arraySort(groupArrayIf((time, received_at, position, substring(output, 2, length(output) - 2)), output != ''))), ','), ']'),
                ''
            ) AS joined_output,
            argMaxIf(system_instructions, (received_at, request, position), system_instructions != '') AS joined_system_instructions,
            argMaxIf(tool_definitions, (received_at, request, position), tool_definitions != '') AS joined_tool_definitions
        FROM span_content FINAL
        GROUP BY project, trace_id, span_id, joined_response_id
    ),
    results AS
    (
        SELECT
            project,
            trace_id,
            span_id,
            if(trace_id = '', response_id, '') AS joined_response_id,
            arrayMap(r -> r.4, arraySort(groupArray((time, received_at, position, (name, score, label, explanation))))) AS joined_evaluations
        FROM evaluations FINAL
        GROUP BY project, trace_id, span_id, joined_response_id
    )
SELECT
    spans.project AS project,
    spans.trace_id AS trace_id,
    spans.span_id AS span_id,
    spans.parent_span_id AS parent_span_id,
    spans.start_time AS start_time,
    spans.service_name AS service_name,
    spans.name AS name,
    spans.kind AS kind,
    spans.request_model AS request_model,
    spans.response_model AS response_model,
    spans.response_id AS response_id,
    spans.session_id AS session_id,
    spans.user_id AS user_id,
    multiIf(spans.input != '', spans.input, own.joined_input != '', own.joined_input, answered.joined_input) AS input,
    multiIf(spans.output != '', spans.output, own.joined_output != '', own.joined_output, answered.joined_output) AS output,
    multiIf(spans.system_instructions != '', spans.system_instructions, own.joined_system_instructions != '', own.joined_system_instructions, answered.joined_system_instructions) AS system_instructions,
    multiIf(spans.tool_definitions != '', spans.tool_definitions, own.joined_tool_definitions != '', own.joined_tool_definitions, answered.joined_tool_definitions) AS tool_definitions,
    CAST(
        arrayDistinct(arrayConcat(spans.evaluations, own_results.joined_evaluations, answer_results.joined_evaluations)),
        'Array(Tuple(name String, score Nullable(Float64), label String, explanation String))'
    ) AS evaluations
FROM spans FINAL
LEFT JOIN content AS own ON own.project = spans.project AND own.trace_id = spans.trace_id AND own.span_id = spans.span_id
LEFT JOIN content AS answered ON answered.project = spans.project AND answered.trace_id = '' AND answered.joined_response_id = spans.response_id
LEFT JOIN results AS own_results ON own_results.project = spans.project AND own_results.trace_id = spans.trace_id AND own_results.span_id = spans.span_id
LEFT JOIN results AS answer_results ON answer_results.project = spans.project AND answer_results.trace_id = '' AND answer_results.joined_response_id = spans.response_id
COMMENT 'Spans with their content and evaluations, those that arrived as log records joined to them'
