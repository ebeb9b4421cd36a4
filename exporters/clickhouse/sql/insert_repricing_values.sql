INSERT INTO repricing_values (/*columns*/)
SETTINGS async_insert = 0
