-- The output of a span as a reviewer wants it: equal to the output of the span where it was accepted as it is.
CREATE TABLE approvals
(
    project LowCardinality(String),
    trace_id String COMMENT 'Trace id, 32 lowercase hex digits' CODEC(ZSTD(1)),
    span_id String COMMENT 'Span id, 16 lowercase hex digits' CODEC(ZSTD(1)),
    output String COMMENT 'The approved output, JSON' CODEC(ZSTD(1)),
    user_id String COMMENT 'Who approved of it' CODEC(ZSTD(1)),
    created_at DateTime64(6, 'UTC') COMMENT 'When; the latest row of a span counts'
)
ENGINE = ReplacingMergeTree(created_at)
ORDER BY (project, trace_id, span_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, enable_block_number_column = 1, enable_block_offset_column = 1
COMMENT 'Approved outputs of spans; read with FINAL'
