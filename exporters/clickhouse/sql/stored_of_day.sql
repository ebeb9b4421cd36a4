-- The spans of one day; and of whole traces, of which no span has expired, the sums of those that count: as the README tells
-- everybody to sum them.
SELECT
    project,
    toDate32(start_time) AS day,
    count() AS stored,
    countIf(/*whole*/ 1) AS spans,
    sumIf(input_tokens, counts AND /*whole*/ 1) AS input_tokens,
    sumIf(output_tokens, counts AND /*whole*/ 1) AS output_tokens,
    sumIf(toDecimal128(cost_total, 12), counts AND /*whole*/ 1) AS cost_total
FROM spans FINAL
WHERE _partition_id = {partition:String}/*, and*/
GROUP BY project, day
SETTINGS output_format_arrow_string_as_string = 1
