-- A condition: not of a trace that these deletions delete.
AND (project, trace_id) NOT IN (SELECT project, id FROM deletions WHERE what = 'trace' AND entry IN {half_deleted:Array(String)})
