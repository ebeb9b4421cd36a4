-- One row if the database is one of ours.
SELECT name FROM system.tables WHERE database = currentDatabase() AND name = 'schema_migrations'
