-- Partitions that hold deleted rows: those of parts that hold the marks (patch parts), or of parts that the marks were written into.
SELECT DISTINCT table, arrayElement(splitByChar('-', partition_id), -1) AS partition
FROM system.parts
WHERE database = currentDatabase()
    AND active
    AND has_lightweight_delete
    AND table IN {tables:Array(String)}
    AND startsWith(partition_id, 'patch-') = {patches:Bool}
ORDER BY table, partition
SETTINGS output_format_arrow_string_as_string = 1
