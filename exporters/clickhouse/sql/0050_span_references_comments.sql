-- What these columns hold, in the database itself.
ALTER TABLE span_references
    COMMENT COLUMN project 'Project of the sender'
