-- A writer says what it does. The times are those of the server.
INSERT INTO write_claims (writer, step, state, since, valid_until)
SETTINGS async_insert = 0, insert_deduplicate = 0
SELECT
    {writer:String},
    {step:UInt64},
    {state:String},
    fromUnixTimestamp64Micro(if({since:Int64} = 0, toUnixTimestamp64Micro(now64(6)), {since:Int64}), 'UTC'),
    addSeconds(now64(6), {seconds:UInt32})
