-- What these columns hold, in the database itself.
ALTER TABLE traces
    COMMENT COLUMN project 'Project of the sender',
    COMMENT COLUMN service_name 'Service of the root span, or of the earliest span that names one',
    COMMENT COLUMN environment 'Deployment environment, found likewise',
    COMMENT COLUMN release 'Version of the service, found likewise',
    COMMENT COLUMN session_id 'Conversation or session, found likewise',
    COMMENT COLUMN user_id 'End user, found likewise',
    COMMENT COLUMN tags 'Tags of all spans, as edited by hand (trace_tags)',
    COMMENT COLUMN span_count 'Spans of the trace'
