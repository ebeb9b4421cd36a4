-- How many traces were deleted.
SELECT count() AS traces
FROM deletions FINAL
WHERE what = 'trace' AND step > 0
