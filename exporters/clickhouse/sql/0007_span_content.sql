-- Content of spans that arrived as log records, a row a record. Several rows make one span's content: events that are one
-- message each come in any order and in any batch, so they are put together when they are read, never when they are written.
--
-- The sort key finds all of a span, and under two empty ids all of a response: instrumentations that emit an event outside
-- of its span's context leave only the response id to join by.
CREATE TABLE span_content
(
    project LowCardinality(String) COMMENT 'Project of the sender',
    trace_id String COMMENT 'Trace id of the span; empty where the row is joined by response_id' CODEC(ZSTD(1)),
    span_id String COMMENT 'Span id of the span; empty where the row is joined by response_id' CODEC(ZSTD(1)),
    response_id String COMMENT 'Attribute gen_ai.response.id' CODEC(ZSTD(1)),
    time DateTime64(9, 'UTC') COMMENT 'Time of the log record: the order of messages' CODEC(Delta(8), ZSTD(1)),
    received_at DateTime64(3, 'UTC') COMMENT 'Arrival at the collector',
    event_name LowCardinality(String) COMMENT 'Event that the content comes from',
    complete Bool COMMENT 'true: a field that is not empty holds all there is; false: the row is one message of several',
    input String COMMENT 'Messages, JSON' CODEC(ZSTD(1)),
    output String COMMENT 'Messages, JSON' CODEC(ZSTD(1)),
    system_instructions String COMMENT 'System instructions, JSON parts' CODEC(ZSTD(1)),
    tool_definitions String COMMENT 'Tools offered to the model, JSON' CODEC(ZSTD(1)),
    error String COMMENT 'Message of an exception; its stack is in logs' CODEC(ZSTD(1)),
    error_type LowCardinality(String) COMMENT 'Type of an exception',
    request UInt64 COMMENT 'XXH3 of the request that brought it',
    position UInt32 COMMENT 'Place in the request'
)
ENGINE = ReplacingMergeTree(received_at)
PARTITION BY toYYYYMM(time)
ORDER BY (project, trace_id, span_id, response_id, request, position)
SETTINGS non_replicated_deduplication_window = 10000, index_granularity = 1024, min_bytes_for_wide_part = 4294967296, min_parts_to_merge_at_once = 16
COMMENT 'Content of spans that arrived as log records; the view span_messages shows it with its span'
