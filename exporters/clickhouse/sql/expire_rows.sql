-- Deletes what a partition holds of a project before some time, as delete_of_traces.sql.
DELETE FROM /*table*/
WHERE _partition_id = {partition:String}
    AND project = {project:String}
    AND /*time*/ < fromUnixTimestamp64Nano({until:Int64})
SETTINGS lightweight_delete_mode = 'lightweight_update_force'
