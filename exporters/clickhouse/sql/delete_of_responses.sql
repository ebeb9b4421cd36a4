-- Deletes what a table holds under the ids of responses alone, as delete_of_traces.sql.
DELETE FROM /*table*/
WHERE project = {project:String} AND trace_id = '' AND response_id IN {response_ids:Array(String)}
SETTINGS lightweight_delete_mode = 'lightweight_update_force'
