-- How many rows of a partition stay when, in these projects, all before these days (since the epoch) expire.
SELECT count() AS rows
FROM /*table*/
WHERE _partition_id = {partition:String}
    AND toInt32(toDate32(/*time*/)) >= transform(toString(project), {projects:Array(String)}, {untils:Array(Int32)}, 0)
