-- Whether anything has arrived as log records that could be joined to spans: under ids, or under the id of a response alone.
SELECT
    (SELECT count() FROM span_content) > 0 AS content,
    (SELECT count() FROM evaluations) > 0 AS evaluations,
    (SELECT count() FROM (SELECT 1 FROM span_content WHERE trace_id = '' LIMIT 1)) AS content_of_responses,
    (SELECT count() FROM (SELECT 1 FROM evaluations WHERE trace_id = '' LIMIT 1)) AS evaluations_of_responses
