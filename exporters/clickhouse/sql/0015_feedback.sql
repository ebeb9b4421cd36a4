-- What people think of traces and of single spans. A row replaces an earlier one of the same feedback; one that is taken back
-- is marked as removed.
CREATE TABLE feedback
(
    project LowCardinality(String),
    trace_id String COMMENT 'Trace id, 32 lowercase hex digits' CODEC(ZSTD(1)),
    feedback_id String COMMENT 'Id of the feedback, a UUID' CODEC(ZSTD(1)),
    span_id String COMMENT 'Span id, 16 lowercase hex digits; empty: of the whole trace' CODEC(ZSTD(1)),
    user_id String COMMENT 'Who says so' CODEC(ZSTD(1)),
    label LowCardinality(String) COMMENT 'positive, negative or empty',
    score Nullable(Float64),
    content String COMMENT 'Comment' CODEC(ZSTD(1)),
    tags Array(LowCardinality(String)),
    source LowCardinality(String) COMMENT 'The API that it came by',
    created_at DateTime64(6, 'UTC') COMMENT 'When it was first given',
    removed Bool COMMENT 'Whether it was taken back',
    updated_at DateTime64(6, 'UTC') COMMENT 'When this row was written; the latest row counts'
)
ENGINE = ReplacingMergeTree(updated_at)
ORDER BY (project, trace_id, feedback_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, enable_block_number_column = 1, enable_block_offset_column = 1
COMMENT 'Feedback on traces and spans; read with FINAL, where not removed'
