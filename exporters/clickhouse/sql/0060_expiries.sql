-- What has expired: of what table, by project, up to which day; and how far that has come, so that what was interrupted is
-- completed. Written before the rows are deleted. Rows are never removed: a day that has expired stays closed, and what
-- arrives for it later is entered in the ledger as expired, and not stored. One more of the same key, with the next step,
-- replaces a row.
CREATE TABLE expiries
(
    entry String COMMENT 'The expiry, and of spans its entry in the ledger' CODEC(ZSTD(1)),
    table LowCardinality(String) COMMENT 'Table of which rows expired; with traces go feedback, approvals and trace_tags',
    partition LowCardinality(String) COMMENT 'Partition of the table, as _partition_id says it; all: it has only one',
    project LowCardinality(String) COMMENT 'Project of the sender',
    until Date COMMENT 'First UTC day that is kept: all that the partition holds of earlier days is expired',
    rows UInt64 COMMENT 'Rows of the project that expired; of spans, standing ones, each once',
    noted_at DateTime64(6, 'UTC') COMMENT 'When',
    step UInt8 COMMENT '0: noted; 1: the rows are deleted, and no query shows them; 2: they are removed from the files'
)
ENGINE = ReplacingMergeTree(step)
ORDER BY (table, project, until, entry)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'What has expired; read with FINAL'
