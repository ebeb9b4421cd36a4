-- one session, with these values bound:
--   limit = 1
--   offset = 0
--   project = 'default'
--   session_id = 'session-1'
-- One page of sessions, summed up over those of their traces that match. The ids are found on the columns that filter and
-- sort; only these are summed up.
SELECT
    session_id,
    count() AS trace_count,
    toUnixTimestamp64Nano(min(traces.start_time)) AS start_time,
    toUnixTimestamp64Nano(max(traces.end_time)) AS end_time,
    sum(toInt128(traces.latency_ns)) AS latency_ns,
    countIf(status = 'ERROR') > 0 AS has_error,
    argMinIf(traces.user_id, (traces.start_time, trace_id), traces.user_id != '') AS user_id,
    arraySort(groupUniqArrayArray(1000)(traces.tags)) AS tags,
    sum(traces.span_count) AS span_count,
    sum(toInt128(traces.input_tokens)) AS input_tokens,
    sum(toInt128(traces.output_tokens)) AS output_tokens,
    sum(traces.cost_total) AS cost_total
FROM traces FINAL
WHERE project = {project:String} AND session_id = {session_id:String} AND session_id IN
(
    SELECT session_id
    FROM traces FINAL
    WHERE project = {project:String} AND session_id = {session_id:String} AND session_id != ''
    GROUP BY session_id
    HAVING /*having*/ 1
    ORDER BY /*order*/ session_id
    LIMIT {limit:UInt32} OFFSET {offset:UInt32}
)
GROUP BY session_id
ORDER BY /*order*/ session_id
