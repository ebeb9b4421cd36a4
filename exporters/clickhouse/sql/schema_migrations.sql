CREATE TABLE IF NOT EXISTS schema_migrations
(
    number UInt32 COMMENT 'Number of the migration',
    name String COMMENT 'Name of its file',
    digest String COMMENT 'SHA-256 of its text as it was applied',
    applied_at DateTime('UTC') DEFAULT now()
)
ENGINE = ReplacingMergeTree
ORDER BY number
COMMENT 'Which changes of the schema were made'
