-- Lets single columns of single rows be changed without rewriting the rest: with these two numbers on every row, UPDATE
-- writes only the new values into a part of their own (a patch part), which is applied when rows are read or merged.
ALTER TABLE spans MODIFY SETTING enable_block_number_column = 1, enable_block_offset_column = 1
