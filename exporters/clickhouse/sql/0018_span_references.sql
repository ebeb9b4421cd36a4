-- Where spans are found by what they name outside their trace: a row of a table, a step, an inference result. Written with the
-- spans, under the names of the attributes that are configured.
CREATE TABLE span_references
(
    project LowCardinality(String),
    kind LowCardinality(String) COMMENT 'What is named: a key of query.attributes, such as lasso.row',
    value String COMMENT 'Its id, as the attribute holds it' CODEC(ZSTD(1)),
    start_time DateTime64(9, 'UTC') COMMENT 'Start of the span' CODEC(ZSTD(1)),
    trace_id String COMMENT 'Trace id, 32 lowercase hex digits' CODEC(ZSTD(1)),
    span_id String COMMENT 'Span id, 16 lowercase hex digits' CODEC(ZSTD(1)),
    received_at DateTime64(3, 'UTC') COMMENT 'Arrival of the span at the collector'
)
ENGINE = ReplacingMergeTree(received_at)
ORDER BY (project, kind, value, start_time, trace_id, span_id)
SETTINGS non_replicated_deduplication_window = 10000, enable_block_number_column = 1, enable_block_offset_column = 1
COMMENT 'What spans refer to; a span that was sent again may be here with its former start, and then is not found by it'
