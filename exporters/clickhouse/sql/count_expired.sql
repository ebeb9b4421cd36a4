-- How many spans have expired since they were stored.
SELECT sum(expiries.rows) AS spans
FROM expiries FINAL
WHERE table = 'spans' AND step > 0
