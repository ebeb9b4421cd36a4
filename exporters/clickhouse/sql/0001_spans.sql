-- One row a span, deduplicated on (project, trace_id, span_id).
--
-- The sort key starts with the minute, because traces are short: what belongs together lies together, an insert only
-- touches the newest data, and old data is never read to recompute a trace. A trace is found by its id through the table
-- traces, which knows its first and last minute. The minute depends on the span alone, so a span that is sent again falls
-- on its first row. Measurements: ../README.md.
--
-- Parts are compact up to 4 GiB, some two million spans: a wide part has a file and buffers for each of some hundred column
-- streams, and to open them costs more than to read a trace or to write a batch. Sixteen parts are merged at once, so
-- that a row is rewritten seldom.
CREATE TABLE spans
(
    project LowCardinality(String) COMMENT 'Project of the sender',
    trace_id String COMMENT 'Trace id, 32 lowercase hex digits' CODEC(ZSTD(1)),
    span_id String COMMENT 'Span id, 16 lowercase hex digits' CODEC(ZSTD(1)),
    parent_span_id String COMMENT 'Span id of the parent; empty for a root span' CODEC(ZSTD(1)),
    span_uuid UUID ALIAS toUUID(concat(substring(trace_id, 1, 12), '4', substring(trace_id, 13, 2), substring(span_id, 1, 1), '8', substring(span_id, 2)))
        COMMENT 'The span id in the shape of a version 4 UUID, for clients that demand one; holds the whole span id and 56 bits of the trace id',
    parent_span_uuid String ALIAS if(parent_span_id = '', '', toString(toUUID(concat(substring(trace_id, 1, 12), '4', substring(trace_id, 13, 2), substring(parent_span_id, 1, 1), '8', substring(parent_span_id, 2)))))
        COMMENT 'span_uuid of the parent; empty for a root span',
    received_at DateTime64(3, 'UTC') COMMENT 'Arrival at the collector',
    start_time DateTime64(9, 'UTC') COMMENT 'Start of the span' CODEC(Delta(8), ZSTD(1)),
    end_time Nullable(DateTime64(9, 'UTC')) COMMENT 'End of the span; NULL if none was sent' CODEC(Delta(8), ZSTD(1)),
    latency_ns Nullable(Int64) COMMENT 'end_time - start_time in ns; NULL without an end or if it lies before the start',
    time_to_first_token_ns Nullable(Int64) COMMENT 'Time from the start to the first token of a streamed answer, in ns',
    output_tokens_per_second Nullable(Float64) ALIAS if(latency_ns > 0, output_tokens / (latency_ns / 1e9), NULL) COMMENT 'Output tokens per second of the whole span',
    name LowCardinality(String) COMMENT 'Name of the span',
    span_kind LowCardinality(String) COMMENT 'OpenTelemetry span kind: INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER, UNSPECIFIED',
    kind LowCardinality(String) COMMENT 'AGENT, LLM, TOOL, RETRIEVER, CHAIN, EMBEDDING, RERANKER, GUARDRAIL, EVALUATOR, OTHER',
    status_code LowCardinality(String) COMMENT 'UNSET, OK, ERROR',
    status_message String COMMENT 'Status message as sent' CODEC(ZSTD(1)),
    error String COMMENT 'Text of the error; empty if the span did not fail' CODEC(ZSTD(1)),
    error_type LowCardinality(String) COMMENT 'Type of the error',
    trace_state String COMMENT 'W3C trace state' CODEC(ZSTD(1)),
    flags UInt32 COMMENT 'W3C trace flags and the OTLP bits for remote parents',
    service_name LowCardinality(String) COMMENT 'Resource attribute service.name',
    environment LowCardinality(String) COMMENT 'Resource attribute deployment.environment.name',
    release LowCardinality(String) COMMENT 'Resource attribute service.version',
    resource LowCardinality(String) COMMENT 'All resource attributes, a JSON object',
    resource_schema_url LowCardinality(String),
    scope_name LowCardinality(String) COMMENT 'Instrumentation scope',
    scope_version LowCardinality(String),
    scope_attributes LowCardinality(String) COMMENT 'Attributes of the scope, a JSON object',
    scope_schema_url LowCardinality(String),
    operation LowCardinality(String) COMMENT 'gen_ai.operation.name',
    provider LowCardinality(String) COMMENT 'Model provider, under its canonical name in the GenAI semantic conventions',
    request_model LowCardinality(String) COMMENT 'Model that was asked for',
    response_model LowCardinality(String) COMMENT 'Model that answered',
    response_id String COMMENT 'Id of the answer at the provider' CODEC(ZSTD(1)),
    session_id String COMMENT 'Conversation or session' CODEC(ZSTD(1)),
    user_id String COMMENT 'End user' CODEC(ZSTD(1)),
    agent_name LowCardinality(String),
    tool_name LowCardinality(String),
    tool_call_id String CODEC(ZSTD(1)),
    finish_reasons Array(LowCardinality(String)) COMMENT 'Why the model stopped, one per choice',
    tags Array(LowCardinality(String)),
    input String COMMENT 'Messages (JSON) or other input' CODEC(ZSTD(1)),
    output String COMMENT 'Messages (JSON) or other output' CODEC(ZSTD(1)),
    system_instructions String COMMENT 'System instructions, JSON parts' CODEC(ZSTD(1)),
    tool_definitions String COMMENT 'Tools offered to the model, JSON' CODEC(ZSTD(1)),
    tool_calls Array(Tuple(id String, name String, arguments String)) COMMENT 'Tool calls that the model asked for' CODEC(ZSTD(1)),
    input_tokens Nullable(Int64) COMMENT 'Input tokens, cached ones included; NULL if not reported',
    output_tokens Nullable(Int64) COMMENT 'Output tokens, reasoning included; NULL if not reported',
    cache_read_tokens Nullable(Int64) COMMENT 'Part of input_tokens read from a cache',
    cache_write_tokens Nullable(Int64) COMMENT 'Part of input_tokens written to a cache',
    reasoning_tokens Nullable(Int64) COMMENT 'Part of output_tokens spent on reasoning',
    input_audio_tokens Nullable(Int64) COMMENT 'Part of input_tokens',
    output_audio_tokens Nullable(Int64) COMMENT 'Part of output_tokens',
    cache_read_audio_tokens Nullable(Int64) COMMENT 'Part of input_audio_tokens and of cache_read_tokens',
    input_image_tokens Nullable(Int64) COMMENT 'Part of input_tokens',
    output_image_tokens Nullable(Int64) COMMENT 'Part of output_tokens',
    token_basis LowCardinality(String) COMMENT 'How input_tokens was decided: inclusive, exclusive_cache_exceeds_input, exclusive_total',
    cost_input Nullable(Decimal(18, 12)) COMMENT 'USD for the input; NULL if unpriced',
    cost_output Nullable(Decimal(18, 12)) COMMENT 'USD for the output; NULL if unpriced',
    cost_total Nullable(Decimal(18, 12)) COMMENT 'USD in all; NULL if unpriced, never 0 for an unknown price',
    cost_source LowCardinality(String) COMMENT 'computed, unpriced, or empty without usage',
    price_provider LowCardinality(String) COMMENT 'Provider in the price book',
    price_model LowCardinality(String) COMMENT 'Model in the price book',
    price_version LowCardinality(String) COMMENT 'Price book and its version',
    price_tier LowCardinality(String) COMMENT 'Tier of the price',
    price_effective_date Nullable(Date) COMMENT 'First day of the price; NULL if it has none',
    unpriced_reason LowCardinality(String) COMMENT 'Why cost_total is NULL although usage was reported',
    attributes_string Map(LowCardinality(String), String) COMMENT 'Span attributes that are strings, but for the content columns' CODEC(ZSTD(1)),
    attributes_int Map(LowCardinality(String), Int64) COMMENT 'Span attributes that are integers' CODEC(ZSTD(1)),
    attributes_double Map(LowCardinality(String), Float64) COMMENT 'Span attributes that are doubles' CODEC(ZSTD(1)),
    attributes_bool Map(LowCardinality(String), Bool) COMMENT 'Span attributes that are booleans' CODEC(ZSTD(1)),
    attributes_json Map(LowCardinality(String), String) COMMENT 'Span attributes that are arrays, key-value lists, bytes or empty, as JSON' CODEC(ZSTD(1)),
    events Array(Tuple(time DateTime64(9, 'UTC'), name String, attributes String, dropped_attributes_count UInt32)) COMMENT 'Span events; attributes are JSON objects' CODEC(ZSTD(1)),
    links Array(Tuple(trace_id String, span_id String, trace_state String, flags UInt32, attributes String, dropped_attributes_count UInt32)) COMMENT 'Span links' CODEC(ZSTD(1)),
    dropped_attributes_count UInt32 COMMENT 'Dropped by the sender',
    dropped_events_count UInt32 COMMENT 'Dropped by the sender',
    dropped_links_count UInt32 COMMENT 'Dropped by the sender',
    cut_attributes UInt32 COMMENT 'Attributes cut by the limits of the collector (span, events, links, resource, scope)',
    cut_values UInt32 COMMENT 'Values shortened or emptied by the limit on their length',
    cut_events UInt32 COMMENT 'Events cut by the limits of the collector',
    cut_links UInt32 COMMENT 'Links cut by the limits of the collector'
)
ENGINE = ReplacingMergeTree(received_at)
PARTITION BY toDate(start_time)
ORDER BY (project, toStartOfMinute(start_time), trace_id, span_id)
SETTINGS non_replicated_deduplication_window = 10000, index_granularity = 1024, min_bytes_for_wide_part = 4294967296, min_parts_to_merge_at_once = 16
COMMENT 'Spans of LLM applications, one row each; read with FINAL where rows are counted or summed'
