-- As insert_spans.sql: arriving is a variable of the calling process, and the token protects against a second writing.
INSERT INTO evaluations (/*columns*/)
SETTINGS async_insert = 0, optimize_on_insert = 0, insert_deduplication_token = {token:String}
