-- Deletions that have not come further than a step. All rows of one go from step to step together.
SELECT entry, any(project) AS project, max(step) AS step
FROM deletions
GROUP BY entry
HAVING step <= {step:UInt8}
ORDER BY entry
SETTINGS output_format_arrow_string_as_string = 1
