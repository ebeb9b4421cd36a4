-- Expiries that have not come further than a step, the earliest first. All rows of one go from step to step together.
SELECT
    entry,
    expiries.table AS table,
    expiries.partition AS partition,
    project,
    toInt32(toDate32(until)) AS until,
    expiries.rows AS rows,
    expiries.step AS step
FROM expiries FINAL
WHERE step <= {step:UInt8}
ORDER BY noted_at, entry
SETTINGS output_format_arrow_string_as_string = 1, output_format_arrow_low_cardinality_as_dictionary = 0
