-- Which of some ids are of something that was deleted, and when last. asked is a variable of the calling process.
SELECT id, toUnixTimestamp64Nano(max(requested_at)) AS requested_at
FROM deletions
WHERE project = {project:String} AND what = {what:String} AND id IN (SELECT id FROM /*asked*/)
GROUP BY id
SETTINGS output_format_arrow_string_as_string = 1
