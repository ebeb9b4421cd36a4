-- with these values bound:
--   limit = 50
--   offset = 0
--   project = 'default'
-- The ids of one page of spans, found on narrow columns. Conditions on the sort key choose granules, and hold for every row
-- of a span or for none. All others have to hold for the row that stands for the span, so they are asked after FINAL.
SELECT
    trace_id,
    span_id,
    start_time
FROM spans FINAL
PREWHERE project = {project:String}
WHERE 1
    AND (counts OR (input_tokens IS NULL AND output_tokens IS NULL AND cost_total IS NULL))
ORDER BY start_time DESC, trace_id DESC, span_id DESC
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
