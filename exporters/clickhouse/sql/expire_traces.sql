-- Deletes what a table holds of the traces of a project of which no span starts at or after some time, as
-- delete_of_traces.sql.
DELETE FROM /*table*/
WHERE project = {project:String}
    AND trace_id IN
    (
        SELECT trace_id
        FROM traces FINAL
        WHERE project = {project:String} AND last_start_time < fromUnixTimestamp64Nano({until:Int64})
    )/*, and*/
SETTINGS lightweight_delete_mode = 'lightweight_update_force'
