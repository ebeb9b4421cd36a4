-- Expiries of spans that were entered in the ledger, and interrupted then.
SELECT entry
FROM expiries
WHERE table = 'spans' AND entry IN (SELECT entry FROM ledger)
GROUP BY entry
HAVING max(step) = 0
SETTINGS output_format_arrow_string_as_string = 1
