-- What was deleted on request, so that nothing of it is stored when it arrives later; and how far the deletion has come, so that
-- one that was interrupted is completed. Rows are never removed. One more of the same key, with the next step, replaces a row.
CREATE TABLE deletions
(
    project LowCardinality(String),
    what LowCardinality(String) COMMENT 'What the id is of: trace, session, user, or response: the answer of a model, within a deleted trace',
    id String COMMENT 'Its id' CODEC(ZSTD(1)),
    requested_at DateTime64(9, 'UTC') COMMENT 'When; of a session and of a user, the traces that had begun by then are deleted' CODEC(Delta(8), ZSTD(1)),
    entry String COMMENT 'The request, and its entry in the ledger' CODEC(ZSTD(1)),
    first_start DateTime64(9, 'UTC') COMMENT 'Of a trace: start of its earliest span; 1970 if none was stored' CODEC(Delta(8), ZSTD(1)),
    last_start DateTime64(9, 'UTC') COMMENT 'Of a trace: start of its latest span; 1970 if none was stored' CODEC(Delta(8), ZSTD(1)),
    step UInt8 COMMENT '0: requested; 1: the rows are deleted, and no query shows them; 2: they are removed from the files'
)
ENGINE = ReplacingMergeTree(step)
ORDER BY (project, what, id, requested_at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'What was deleted on request; read with FINAL'
