-- What these columns hold, in the database itself.
ALTER TABLE logs
    COMMENT COLUMN resource_schema_url 'Schema URL of the resource',
    COMMENT COLUMN scope_version 'Version of the instrumentation scope',
    COMMENT COLUMN scope_schema_url 'Schema URL of the scope'
