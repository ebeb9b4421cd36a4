-- One row a trace, recomputed from the deduplicated spans whenever spans of it arrive; the highest version counts.
CREATE TABLE traces
(
    project LowCardinality(String),
    trace_id String COMMENT 'Trace id, 32 lowercase hex digits' CODEC(ZSTD(1)),
    version UInt64 COMMENT 'Number of the recomputation; the row with the highest counts',
    status LowCardinality(String) COMMENT 'RUNNING until a root span has arrived; then ERROR if a root span failed, else COMPLETED',
    name LowCardinality(String) COMMENT 'Name of the root span, or of the first span while there is none',
    root_span_id String COMMENT 'Span id of the earliest root span; empty while there is none' CODEC(ZSTD(1)),
    start_time DateTime64(9, 'UTC') COMMENT 'Start of the earliest span' CODEC(Delta(8), ZSTD(1)),
    last_start_time DateTime64(9, 'UTC') COMMENT 'Start of the latest span: with start_time, where the spans lie' CODEC(Delta(8), ZSTD(1)),
    end_time Nullable(DateTime64(9, 'UTC')) COMMENT 'End of the last span; NULL while RUNNING' CODEC(Delta(8), ZSTD(1)),
    latency_ns Nullable(Int64) COMMENT 'end_time - start_time in ns; NULL while RUNNING',
    service_name LowCardinality(String),
    environment LowCardinality(String),
    release LowCardinality(String),
    session_id String CODEC(ZSTD(1)),
    user_id String CODEC(ZSTD(1)),
    tags Array(LowCardinality(String)),
    span_count UInt32,
    error_count UInt32 COMMENT 'Spans with status ERROR',
    input_tokens Int64 COMMENT 'Sum over the spans that count: a span that repeats the usage of spans below it does not',
    output_tokens Int64 COMMENT 'Sum over the spans that count',
    cost_total Nullable(Decimal(38, 12)) COMMENT 'USD, sum over the spans that count and are priced; NULL if there is none',
    unpriced_spans UInt32 COMMENT 'Spans that count but have no price: if not 0, cost_total is too low'
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(start_time)
ORDER BY (project, trace_id)
SETTINGS non_replicated_deduplication_window = 10000, index_granularity = 1024, min_bytes_for_wide_part = 4294967296, min_parts_to_merge_at_once = 16
COMMENT 'Traces, one row each; read with FINAL'
