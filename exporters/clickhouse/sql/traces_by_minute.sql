-- How many traces of a period begin in each minute since the epoch, and how many spans they have.
SELECT
    project,
    toUnixTimestamp(toStartOfMinute(start_time)) DIV 60 AS minute,
    count() AS traces,
    sum(span_count) AS spans
FROM traces FINAL
WHERE last_start_time >= fromUnixTimestamp64Nano({since:Int64}) AND start_time < fromUnixTimestamp64Nano({until:Int64})
GROUP BY project, minute
ORDER BY project, minute
SETTINGS output_format_arrow_string_as_string = 1
