-- Lines of one entry. A row replaces the one of the same entry, and is no repetition of it. Few values, so they are bound:
-- the way through Python() takes twice the time.
INSERT INTO ledger (entry, project, day, accepted, duplicates, deleted, expired, rejected)
SETTINGS async_insert = 0, optimize_on_insert = 0, insert_deduplicate = 0
SELECT
    {entry:String},
    line.1,
    toDate(line.2),
    line.3,
    line.4,
    line.5,
    line.6,
    mapFromArrays(line.7, line.8)
FROM
(
    SELECT arrayJoin(arrayZip(
        {projects:Array(String)},
        {days:Array(Int32)},
        {accepted:Array(UInt64)},
        {duplicates:Array(UInt64)},
        {deleted:Array(UInt64)},
        {expired:Array(UInt64)},
        {reasons:Array(Array(String))},
        {rejected:Array(Array(UInt64))}
    )) AS line
)
