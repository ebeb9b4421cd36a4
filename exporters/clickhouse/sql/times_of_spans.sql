-- Between which starts the spans of a project lie, in ns since the epoch; both 0 if there are none.
SELECT toUnixTimestamp64Nano(min(start_time)) AS first, toUnixTimestamp64Nano(max(last_start_time)) AS last
FROM traces
WHERE project = {project:String}
