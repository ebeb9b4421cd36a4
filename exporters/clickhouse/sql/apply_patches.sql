-- Writes the marks into the parts that hold the rows. In the background: see unfinished_mutations.sql.
ALTER TABLE /*table*/ APPLY PATCHES IN PARTITION ID {partition:String}
SETTINGS mutations_sync = 0
