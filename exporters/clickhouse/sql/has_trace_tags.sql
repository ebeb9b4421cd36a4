-- Whether the tags of any trace were edited by hand.
SELECT count() > 0 AS edited FROM trace_tags
