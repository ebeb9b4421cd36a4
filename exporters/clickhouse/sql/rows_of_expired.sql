-- Spans that are stored although their days have expired.
SELECT project, toDate32(start_time) AS day, count() AS spans
FROM spans FINAL
WHERE (project, toDate(start_time)) IN (SELECT project, until - 1 FROM expiries WHERE table = 'spans' AND step > 0)
GROUP BY project, day
ORDER BY project, day
SETTINGS output_format_arrow_string_as_string = 1, output_format_arrow_low_cardinality_as_dictionary = 0
