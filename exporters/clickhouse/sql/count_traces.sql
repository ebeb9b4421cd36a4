-- How many traces match a filter.
SELECT count() AS matches
FROM traces FINAL
WHERE /*where*/ 1
