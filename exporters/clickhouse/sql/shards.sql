-- The shards of a cluster, and whether the server that is asked belongs to them.
SELECT shard_num, max(is_local) AS is_local
FROM system.clusters
WHERE cluster = {cluster:String}
GROUP BY shard_num
ORDER BY shard_num
