-- arriving is a variable of the calling process: the embedded engine reads the columns where they lie.
-- async_insert is on by default since ClickHouse 26.3, and then the token would not protect. optimize_on_insert would
-- collapse duplicates before they are written, at the price of another copy of all rows; merges do it, and readers use FINAL.
INSERT INTO spans (/*columns*/)
SETTINGS async_insert = 0, optimize_on_insert = 0, insert_deduplication_token = {token:String}
