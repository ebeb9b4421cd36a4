-- What one deletion deletes.
SELECT what, id, toUnixTimestamp64Nano(first_start) AS first_start, toUnixTimestamp64Nano(last_start) AS last_start
FROM deletions FINAL
WHERE entry = {entry:String}
SETTINGS output_format_arrow_string_as_string = 1
