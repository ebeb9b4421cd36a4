-- What these columns hold, in the database itself.
ALTER TABLE approvals
    COMMENT COLUMN project 'Project of the trace'
