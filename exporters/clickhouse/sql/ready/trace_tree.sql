-- The spans of the trace {trace_id:String} as a tree, each below its parent, in the order of their starts; times are seconds.
-- A span whose parent is not there stands at the top. Of a span that does not count, another one tells of the usage.
WITH RECURSIVE
    found AS
    (
        SELECT
            project, span_id, parent_span_id, start_time, name, kind, response_model, request_model, latency_ns,
            input_tokens, output_tokens, cost_total, counts, status_code
        FROM spans FINAL
        WHERE trace_id = {trace_id:String}
            AND start_time >= (SELECT min(start_time) FROM traces WHERE trace_id = {trace_id:String})
            AND start_time <= (SELECT max(last_start_time) FROM traces WHERE trace_id = {trace_id:String})
    ),
    tree AS
    (
        SELECT project, span_id, [(start_time, span_id)] AS path
        FROM found
        WHERE (project, parent_span_id) NOT IN (SELECT project, span_id FROM found)
        UNION ALL
        SELECT child.project, child.span_id, arrayPushBack(tree.path, (child.start_time, child.span_id))
        FROM found AS child
        INNER JOIN tree ON tree.project = child.project AND tree.span_id = child.parent_span_id
    )
SELECT
    found.project AS project,
    concat(repeat('    ', length(tree.path) - 1), found.name) AS span,
    found.kind AS kind,
    if(found.response_model != '', found.response_model, found.request_model) AS model,
    dateDiff('nanosecond', min(found.start_time) OVER (PARTITION BY found.project), found.start_time) / 1e9 AS after,
    found.latency_ns / 1e9 AS latency,
    found.input_tokens AS input_tokens,
    found.output_tokens AS output_tokens,
    found.cost_total AS cost_total,
    found.counts AS counts,
    found.status_code AS status_code,
    found.span_id AS span_id
FROM found
INNER JOIN tree ON tree.project = found.project AND tree.span_id = found.span_id
ORDER BY project, tree.path
