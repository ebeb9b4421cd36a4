-- What has been deleted at all.
SELECT DISTINCT what
FROM deletions
SETTINGS output_format_arrow_string_as_string = 1, output_format_arrow_low_cardinality_as_dictionary = 0
