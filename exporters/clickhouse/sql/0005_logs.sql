-- One row a log record. Log records have no id: one is known by the request that brought it and its place in there, so that a
-- request that is sent again falls on its first rows.
CREATE TABLE logs
(
    project LowCardinality(String) COMMENT 'Project of the sender',
    time DateTime64(9, 'UTC') COMMENT 'When it happened; if the sender does not say, when it was observed; else when it arrived' CODEC(Delta(8), ZSTD(1)),
    observed_time Nullable(DateTime64(9, 'UTC')) COMMENT 'When it was observed; NULL if not sent' CODEC(Delta(8), ZSTD(1)),
    received_at DateTime64(3, 'UTC') COMMENT 'Arrival at the collector',
    trace_id String COMMENT 'Trace id, 32 lowercase hex digits; empty if it belongs to no trace' CODEC(ZSTD(1)),
    span_id String COMMENT 'Span id, 16 lowercase hex digits; empty if it belongs to no span' CODEC(ZSTD(1)),
    flags UInt32 COMMENT 'W3C trace flags',
    severity_number UInt8 COMMENT '1-4 TRACE, 5-8 DEBUG, 9-12 INFO, 13-16 WARN, 17-20 ERROR, 21-24 FATAL; 0 if not sent',
    severity_text LowCardinality(String) COMMENT 'Severity as the source calls it',
    event_name LowCardinality(String) COMMENT 'Name of the event; empty if it is no event',
    body String COMMENT 'Text as sent, or JSON; empty where it was moved to span_content' CODEC(ZSTD(1)),
    body_type LowCardinality(String) COMMENT 'text, json, or empty without a body',
    response_id String COMMENT 'Attribute gen_ai.response.id' CODEC(ZSTD(1)),
    moved_to LowCardinality(String) COMMENT 'Table that holds what was taken out of body and attributes: span_content, evaluations; empty if nothing was',
    service_name LowCardinality(String) COMMENT 'Resource attribute service.name',
    resource LowCardinality(String) COMMENT 'All resource attributes, a JSON object',
    resource_schema_url LowCardinality(String),
    scope_name LowCardinality(String) COMMENT 'Instrumentation scope',
    scope_version LowCardinality(String),
    scope_attributes LowCardinality(String) COMMENT 'Attributes of the scope, a JSON object',
    scope_schema_url LowCardinality(String),
    attributes_string Map(LowCardinality(String), String) COMMENT 'Attributes that are strings' CODEC(ZSTD(1)),
    attributes_int Map(LowCardinality(String), Int64) COMMENT 'Attributes that are integers' CODEC(ZSTD(1)),
    attributes_double Map(LowCardinality(String), Float64) COMMENT 'Attributes that are doubles' CODEC(ZSTD(1)),
    attributes_bool Map(LowCardinality(String), Bool) COMMENT 'Attributes that are booleans' CODEC(ZSTD(1)),
    attributes_json Map(LowCardinality(String), String) COMMENT 'Attributes that are arrays, key-value lists, bytes or empty, as JSON' CODEC(ZSTD(1)),
    dropped_attributes_count UInt32 COMMENT 'Dropped by the sender',
    cut_attributes UInt32 COMMENT 'Attributes cut by the limits of the collector (record, resource, scope)',
    cut_values UInt32 COMMENT 'Values shortened or emptied by the limit on their length',
    request UInt64 COMMENT 'XXH3 of the request that brought it',
    position UInt32 COMMENT 'Place in the request',
    INDEX trace_id_index trace_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(received_at)
PARTITION BY toDate(time)
ORDER BY (project, time, request, position)
SETTINGS non_replicated_deduplication_window = 10000, min_bytes_for_wide_part = 4294967296, min_parts_to_merge_at_once = 16
COMMENT 'Log records, one row each, without what was moved to span_content or evaluations; read with FINAL where rows are counted'
