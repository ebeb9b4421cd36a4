-- What this column holds has grown since.
ALTER TABLE spans
    COMMENT COLUMN usage_problem 'Why a token column is NULL, or the usage is not priced, although the sender reports something: negative, not_a_number, too_large, contradictory, missing_input, missing_output, running_total'
