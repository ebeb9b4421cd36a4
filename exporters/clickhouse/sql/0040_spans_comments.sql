-- What these columns hold, in the database itself.
ALTER TABLE spans
    COMMENT COLUMN resource_schema_url 'Schema URL of the resource',
    COMMENT COLUMN scope_version 'Version of the instrumentation scope',
    COMMENT COLUMN scope_schema_url 'Schema URL of the scope',
    COMMENT COLUMN agent_name 'Agent that the span is of',
    COMMENT COLUMN tool_name 'Tool that was called',
    COMMENT COLUMN tool_call_id 'Id of the tool call, as the model gave it',
    COMMENT COLUMN tags 'Tags of the span'
