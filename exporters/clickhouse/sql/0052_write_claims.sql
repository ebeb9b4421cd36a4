-- Who writes. A server may be written to by several collectors: one at a time, so that each sees all that the others have
-- stored when it decides what counts. A collector's latest row says whether it writes, wants to, or has let go; until when
-- that holds, so that one that died keeps nobody out for long, is told by the clock of the server.
CREATE TABLE write_claims
(
    writer String COMMENT 'Name of the journal of the collector',
    step UInt64 COMMENT 'Numbers the rows of a writer; the latest one counts',
    state Enum8('released' = 0, 'waiting' = 1, 'holding' = 2) COMMENT 'Whether it writes',
    since DateTime64(6, 'UTC') COMMENT 'When it began to wait',
    valid_until DateTime64(6, 'UTC') COMMENT 'When the claim ends if it is not renewed',
    written_at DateTime64(6, 'UTC') DEFAULT now64(6) COMMENT 'When the row was written'
)
ENGINE = MergeTree
ORDER BY (writer, step)
TTL toDateTime(written_at) + INTERVAL 1 HOUR
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Which collector writes at present'
