-- What an entry says of rejected spans, by project and day since the epoch.
SELECT
    project,
    toInt32(toDate32(day)) AS day,
    mapKeys(rejected) AS reasons,
    mapValues(rejected) AS counts
FROM ledger FINAL
WHERE entry = {entry:String}
SETTINGS output_format_arrow_string_as_string = 1, output_format_arrow_low_cardinality_as_dictionary = 0
