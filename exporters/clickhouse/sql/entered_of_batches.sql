-- What was entered as accepted of some batches and their parts (which have the name of the batch and a dot before theirs).
SELECT
    project,
    toDate32(day) AS day,
    sum(accepted) AS accepted
FROM ledger FINAL
WHERE splitByChar('.', entry)[1] IN {batches:Array(String)}
GROUP BY project, day
SETTINGS output_format_arrow_string_as_string = 1
