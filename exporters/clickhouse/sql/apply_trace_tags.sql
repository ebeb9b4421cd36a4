-- A new row for each trace of which the tags are not as they were edited by hand: none where they are. What is added to a
-- trace and what is removed from it never have a tag in common.
INSERT INTO traces
SETTINGS async_insert = 0, optimize_on_insert = 0, insert_deduplicate = 0
SELECT traces.* REPLACE
(
    traces.version + 1 AS version,
    arraySort(arrayDistinct(arrayConcat(arrayFilter(tag -> NOT has(edits.removed, tag), traces.tags), edits.added))) AS tags
)
FROM (SELECT * FROM traces FINAL PREWHERE /*which*/ 1) AS traces
INNER JOIN (SELECT * FROM trace_tags FINAL PREWHERE /*which*/ 1) AS edits USING (project, trace_id)
WHERE NOT hasAll(traces.tags, edits.added) OR hasAny(traces.tags, edits.removed)
