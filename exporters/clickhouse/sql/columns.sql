-- Every column of every table and view of this database. Types are as the engine writes them.
SELECT table, name, type FROM system.columns WHERE database = currentDatabase()
