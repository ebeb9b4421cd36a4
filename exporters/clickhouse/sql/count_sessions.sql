-- How many sessions match a filter.
SELECT count() AS matches
FROM
(
    SELECT session_id
    FROM traces FINAL
    WHERE /*where*/ 1 AND session_id != ''
    GROUP BY session_id
    HAVING /*having*/ 1
)
