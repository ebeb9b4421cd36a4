-- Takes feedback back: a newer row without what was said.
INSERT INTO feedback
SETTINGS async_insert = 0, insert_deduplicate = 0
SELECT * REPLACE (
    '' AS user_id,
    '' AS label,
    NULL AS score,
    '' AS content,
    [] AS tags,
    true AS removed,
    fromUnixTimestamp64Micro({updated_at:Int64}, 'UTC') AS updated_at
)
FROM feedback FINAL
WHERE project = {project:String} AND trace_id = {trace_id:String} AND feedback_id = {feedback_id:String}
