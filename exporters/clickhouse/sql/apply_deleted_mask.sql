-- Writes the parts that have deleted rows anew, without them. In the background: see unfinished_mutations.sql.
ALTER TABLE /*table*/ APPLY DELETED MASK IN PARTITION ID {partition:String}
SETTINGS mutations_sync = 0
