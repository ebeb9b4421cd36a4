-- As for spans (0009): what expires of one project alone gets no more than a mark for each row.
ALTER TABLE metrics MODIFY SETTING enable_block_number_column = 1, enable_block_offset_column = 1
