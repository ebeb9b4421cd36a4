-- What these columns hold, in the database itself.
ALTER TABLE ledger
    COMMENT COLUMN project 'Project of the sender'
