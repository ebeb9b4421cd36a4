-- Some spans with a cost, by chance.
SELECT trace_id, span_id, toUnixTimestamp64Nano(start_time) AS start
FROM spans FINAL
WHERE cost_source IN ('computed', 'reported')
ORDER BY cityHash64(trace_id, span_id, {salt:UInt64})
LIMIT {count:UInt64}
SETTINGS output_format_arrow_string_as_string = 1
