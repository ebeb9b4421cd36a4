-- As for spans (0009): a deletion writes no more than a mark for each row, which goes with the rows when they are merged.
ALTER TABLE evaluations MODIFY SETTING enable_block_number_column = 1, enable_block_offset_column = 1
