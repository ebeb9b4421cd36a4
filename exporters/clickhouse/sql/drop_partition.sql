-- Drops the parts of a partition, whole.
ALTER TABLE /*table*/ DROP PARTITION ID {partition:String}
