-- Names and types of the columns of spans.
SELECT name, type
FROM system.columns
WHERE database = currentDatabase() AND table = 'spans'
SETTINGS output_format_arrow_string_as_string = 1
