-- Tags that were added to traces and removed from them by hand; traces.tags has them applied.
CREATE TABLE trace_tags
(
    project LowCardinality(String),
    trace_id String COMMENT 'Trace id, 32 lowercase hex digits' CODEC(ZSTD(1)),
    added Array(LowCardinality(String)) COMMENT 'Tags that the trace has besides those of its spans',
    removed Array(LowCardinality(String)) COMMENT 'Tags of its spans that it does not have',
    updated_at DateTime64(6, 'UTC') COMMENT 'When this row was written; the latest row counts'
)
ENGINE = ReplacingMergeTree(updated_at)
ORDER BY (project, trace_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, enable_block_number_column = 1, enable_block_offset_column = 1
COMMENT 'Tags of traces that were edited by hand; read with FINAL'
