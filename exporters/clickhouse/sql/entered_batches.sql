-- Which of some batches were entered, whole or in parts (the parts have the name of the batch and a dot before theirs).
SELECT DISTINCT splitByChar('.', entry)[1] AS batch
FROM ledger
WHERE batch IN {batches:Array(String)}
SETTINGS output_format_arrow_string_as_string = 1
