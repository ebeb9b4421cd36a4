-- What these columns hold, in the database itself.
ALTER TABLE schema_migrations
    COMMENT COLUMN applied_at 'When it was applied'
