-- Traces of which any row of a span names a session or a user, also a row that another one has replaced; or the row of the
-- trace, which may outlive its spans.
SELECT trace_id
FROM spans
PREWHERE project = {project:String} AND /*owner*/ = {owner:String}
UNION DISTINCT
SELECT trace_id
FROM traces
PREWHERE project = {project:String} AND /*owner*/ = {owner:String}
SETTINGS output_format_arrow_string_as_string = 1
