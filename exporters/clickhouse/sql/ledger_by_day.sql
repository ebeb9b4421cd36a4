-- What was entered, by project and day.
SELECT
    project,
    toDate32(day) AS day,
    sum(accepted) AS accepted,
    sum(duplicates) AS duplicates,
    sum(deleted) AS deleted,
    sum(expired) AS expired,
    sum(arraySum(mapValues(rejected))) AS rejected
FROM ledger FINAL
GROUP BY project, day
SETTINGS output_format_arrow_string_as_string = 1
