-- One row a data point of a GenAI metric, as sent: nothing is summed up. Known as a log record is.
CREATE TABLE metrics
(
    project LowCardinality(String) COMMENT 'Project of the sender',
    metric LowCardinality(String) COMMENT 'Name of the metric',
    type LowCardinality(String) COMMENT 'gauge, sum, histogram, exponential_histogram',
    unit LowCardinality(String) COMMENT 'Unit as sent, such as s or {token}',
    description LowCardinality(String),
    temporality LowCardinality(String) COMMENT 'delta: since start_time, to be added up; cumulative: since the sender began, the latest counts; empty of a gauge',
    is_monotonic Bool COMMENT 'Whether a sum never goes down',
    start_time Nullable(DateTime64(9, 'UTC')) COMMENT 'Start of the time that the point stands for; NULL if not sent' CODEC(Delta(8), ZSTD(1)),
    time DateTime64(9, 'UTC') COMMENT 'End of the time that the point stands for' CODEC(Delta(8), ZSTD(1)),
    received_at DateTime64(3, 'UTC') COMMENT 'Arrival at the collector',
    value Nullable(Float64) COMMENT 'Value of a gauge or sum',
    count Nullable(UInt64) COMMENT 'Number of values in a histogram',
    sum Nullable(Float64) COMMENT 'Sum of the values in a histogram; NULL if not sent',
    min Nullable(Float64) COMMENT 'Smallest value in a histogram; NULL if not sent',
    max Nullable(Float64) COMMENT 'Largest value in a histogram; NULL if not sent',
    bucket_bounds Array(Float64) COMMENT 'Upper bounds of the buckets of a histogram, but for the last, which has none' CODEC(ZSTD(1)),
    bucket_counts Array(UInt64) COMMENT 'Values in each bucket of a histogram' CODEC(ZSTD(1)),
    scale Nullable(Int32) COMMENT 'Of an exponential histogram: each bound is 2^(2^-scale) times the one before',
    zero_count Nullable(UInt64) COMMENT 'Of an exponential histogram: values within zero_threshold of 0',
    zero_threshold Nullable(Float64) COMMENT 'Of an exponential histogram',
    positive_offset Nullable(Int32) COMMENT 'Of an exponential histogram: number of the first bucket of positive values',
    positive_counts Array(UInt64) COMMENT 'Of an exponential histogram: positive values in each bucket' CODEC(ZSTD(1)),
    negative_offset Nullable(Int32) COMMENT 'Of an exponential histogram: number of the first bucket of negative values',
    negative_counts Array(UInt64) COMMENT 'Of an exponential histogram: negative values in each bucket' CODEC(ZSTD(1)),
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
    cut_attributes UInt32 COMMENT 'Attributes cut by the limits of the collector (point, resource, scope)',
    cut_values UInt32 COMMENT 'Values shortened or emptied by the limit on their length',
    request UInt64 COMMENT 'XXH3 of the request that brought it',
    position UInt32 COMMENT 'Place in the request'
)
ENGINE = ReplacingMergeTree(received_at)
PARTITION BY toYYYYMM(time)
ORDER BY (project, metric, time, request, position)
SETTINGS non_replicated_deduplication_window = 10000, min_bytes_for_wide_part = 4294967296, min_parts_to_merge_at_once = 16
COMMENT 'Data points of GenAI metrics, one row each; read with FINAL where they are added up'
