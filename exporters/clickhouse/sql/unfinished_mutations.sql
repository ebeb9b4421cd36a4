-- What is being written anew at the moment, and why it fails, if it does.
SELECT table, latest_fail_reason
FROM system.mutations
WHERE database = currentDatabase() AND NOT is_done AND table IN {tables:Array(String)}
SETTINGS output_format_arrow_string_as_string = 1
