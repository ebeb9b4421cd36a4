-- list, with these values bound:
--   limit = 50
--   offset = 0
--   project = 'default'
-- One page of traces. The ids are found on the columns that filter and sort; only then the rest is fetched.
SELECT
    trace_id,
    status,
    name,
    root_span_id,
    toUnixTimestamp64Nano(start_time) AS start_time,
    toUnixTimestamp64Nano(end_time) AS end_time,
    latency_ns,
    service_name,
    environment,
    release,
    session_id,
    user_id,
    tags,
    span_count,
    error_count,
    input_tokens,
    output_tokens,
    cost_total,
    unpriced_spans
FROM traces FINAL
WHERE project = {project:String} AND trace_id IN
(
    SELECT trace_id
    FROM traces FINAL
    WHERE project = {project:String}
    ORDER BY traces.start_time DESC NULLS LAST, trace_id
    LIMIT {limit:UInt32} OFFSET {offset:UInt32}
)
ORDER BY traces.start_time DESC NULLS LAST, trace_id

-- count, with these values bound:
--   project = 'default'
-- How many traces match a filter.
SELECT count() AS matches
FROM traces FINAL
WHERE project = {project:String}
