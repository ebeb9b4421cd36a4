-- Up to which day, since the epoch, the spans of each project have expired, or are about to: the first one that is kept.
SELECT project, toInt32(toDate32(max(until))) AS until
FROM expiries
WHERE table = 'spans'
GROUP BY project
SETTINGS output_format_arrow_string_as_string = 1, output_format_arrow_low_cardinality_as_dictionary = 0
