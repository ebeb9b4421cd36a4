INSERT INTO prices (/*columns*/)
SETTINGS async_insert = 0
