-- What a table still holds of traces that were deleted.
SELECT project, trace_id, count() AS rows
FROM /*table*/
WHERE (project, trace_id) IN (SELECT project, id FROM deletions WHERE what = 'trace' AND step > 0)
GROUP BY project, trace_id
SETTINGS output_format_arrow_string_as_string = 1, output_format_arrow_low_cardinality_as_dictionary = 0
