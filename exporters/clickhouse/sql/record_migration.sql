-- Notes that a migration was applied.
INSERT INTO schema_migrations (number, name, digest)
SETTINGS async_insert = 0
SELECT {number:UInt32}, {name:String}, {digest:String}
