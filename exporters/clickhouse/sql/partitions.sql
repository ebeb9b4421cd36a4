-- The partitions of a table, the oldest first. Parts that hold changes (patch parts) have partitions of their own.
SELECT DISTINCT partition_id AS id
FROM system.parts
WHERE database = currentDatabase() AND table = {table:String} AND active AND NOT startsWith(partition_id, 'patch-')
ORDER BY id
SETTINGS output_format_arrow_string_as_string = 1
