-- What these columns hold, in the database itself.
ALTER TABLE feedback
    COMMENT COLUMN project 'Project of the trace',
    COMMENT COLUMN score 'Score; NULL if none was given',
    COMMENT COLUMN tags 'Tags of the feedback'
