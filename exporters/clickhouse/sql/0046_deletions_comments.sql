-- What these columns hold, in the database itself.
ALTER TABLE deletions
    COMMENT COLUMN project 'Project of what was deleted'
