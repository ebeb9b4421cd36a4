-- Traces that had begun when the session or the user was deleted that a span of them names, or their row.
SELECT owned.project AS project, owned.trace_id AS trace_id, owned.owner AS owner
FROM
(
    SELECT project, trace_id, /*owner*/ AS owner
    FROM spans FINAL
    WHERE (project, /*owner*/) IN (SELECT project, id FROM deletions WHERE what = {what:String} AND step > 0)
    UNION DISTINCT
    SELECT project, trace_id, /*owner*/ AS owner
    FROM traces FINAL
    WHERE (project, /*owner*/) IN (SELECT project, id FROM deletions WHERE what = {what:String} AND step > 0)
) AS owned
INNER JOIN (SELECT project, trace_id, start_time FROM traces FINAL) AS found
    ON found.project = owned.project AND found.trace_id = owned.trace_id
INNER JOIN (SELECT project, id, max(requested_at) AS latest FROM deletions WHERE what = {what:String} AND step > 0 GROUP BY project, id) AS gone
    ON gone.project = owned.project AND gone.id = owned.owner
WHERE found.start_time < gone.latest
SETTINGS output_format_arrow_string_as_string = 1, output_format_arrow_low_cardinality_as_dictionary = 0
