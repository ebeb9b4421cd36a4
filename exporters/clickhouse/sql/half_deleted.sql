-- Traces of deletions that were entered in the ledger, and interrupted then.
SELECT entry, project, id AS trace_id
FROM deletions FINAL
WHERE what = 'trace'
    AND entry IN (SELECT entry FROM deletions GROUP BY entry HAVING max(step) = 0)
    AND entry IN (SELECT entry FROM ledger)
SETTINGS output_format_arrow_string_as_string = 1
