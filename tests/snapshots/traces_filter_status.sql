-- the first rows, with these values bound:
--   project = 'default'
--   rows = 240
--   status = 'COMPLETED'
-- The first rows of an order, whether they still stand or not: without FINAL it takes the same time however many parts there are.
SELECT trace_id, version
FROM traces
WHERE project = {project:String} AND status = {status:String}
ORDER BY traces.start_time DESC NULLS LAST, trace_id, version DESC
LIMIT {rows:UInt32}

-- or all ids, far from the beginning, with these values bound:
--   limit = 50
--   offset = 0
--   project = 'default'
--   status = 'COMPLETED'
-- The ids of one page of traces, by the rows that stand.
SELECT trace_id, version
FROM traces FINAL
WHERE project = {project:String} AND status = {status:String}
ORDER BY traces.start_time DESC NULLS LAST, trace_id
LIMIT {limit:UInt32} OFFSET {offset:UInt32}

-- rows of the traces that were found, with these values bound:
--   project = 'default'
--   status = 'COMPLETED'
--   trace_ids = ['0af7651916cd43dd8448eb211c80319c']
-- All stored rows of some traces in the order of a list, and whether each matches its filters.
SELECT
    trace_id,
    version,
    status,
    name,
    root_span_id,
    toUnixTimestamp64Nano(start_time) AS start_time,
    toUnixTimestamp64Nano(end_time) AS end_time,
    toUnixTimestamp64Nano(last_start_time) AS last_start_time,
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
    unpriced_spans,
    (project = {project:String} AND status = {status:String}) AS matches
FROM traces
PREWHERE project = {project:String} AND trace_id IN {trace_ids:Array(String)}
ORDER BY traces.start_time DESC NULLS LAST, trace_id, version DESC

-- count, with these values bound:
--   project = 'default'
--   status = 'COMPLETED'
-- How many traces match a filter.
SELECT count() AS matches
FROM traces FINAL
WHERE project = {project:String} AND status = {status:String}
