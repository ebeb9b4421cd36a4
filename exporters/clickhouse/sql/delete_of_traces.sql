-- Deletes what a table holds of some traces, by a mark for each row (a patch part): all rows of a key, so that none comes to light
-- when they are merged.
DELETE FROM /*table*/
WHERE project = {project:String} AND trace_id IN {trace_ids:Array(String)}
SETTINGS lightweight_delete_mode = 'lightweight_update_force'
