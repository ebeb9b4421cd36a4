-- What these columns hold, in the database itself.
ALTER TABLE trace_tags
    COMMENT COLUMN project 'Project of the trace'
