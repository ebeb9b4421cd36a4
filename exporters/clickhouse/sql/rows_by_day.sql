-- What a partition holds, by project and day since the epoch.
SELECT project, toInt32(toDate32(/*time*/)) AS day, count() AS rows
FROM /*table*/
WHERE _partition_id = {partition:String}
GROUP BY project, day
SETTINGS output_format_arrow_string_as_string = 1, output_format_arrow_low_cardinality_as_dictionary = 0
