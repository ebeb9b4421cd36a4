-- How the tags of some traces were edited by hand. Times as integers: us.
SELECT
    trace_id,
    added,
    removed,
    toUnixTimestamp64Micro(updated_at) AS updated_at
FROM trace_tags FINAL
WHERE project = {project:String} AND trace_id IN {trace_ids:Array(String)}
SETTINGS output_format_arrow_string_as_string = 1
