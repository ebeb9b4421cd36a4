SELECT number, digest FROM schema_migrations FINAL ORDER BY number
