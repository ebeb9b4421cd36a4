-- Evaluation results that arrived as log records; those that a span carries itself are in its column evaluations. Found as
-- the rows of span_content are.
CREATE TABLE evaluations
(
    project LowCardinality(String) COMMENT 'Project of the sender',
    trace_id String COMMENT 'Trace id of the evaluated span; empty where the row is joined by response_id' CODEC(ZSTD(1)),
    span_id String COMMENT 'Span id of the evaluated span; empty where the row is joined by response_id' CODEC(ZSTD(1)),
    response_id String COMMENT 'Attribute gen_ai.response.id: the evaluated response' CODEC(ZSTD(1)),
    time DateTime64(9, 'UTC') COMMENT 'Time of the evaluation' CODEC(Delta(8), ZSTD(1)),
    received_at DateTime64(3, 'UTC') COMMENT 'Arrival at the collector',
    name LowCardinality(String) COMMENT 'What was evaluated, such as relevance',
    score Nullable(Float64) COMMENT 'Score; NULL if only a label was given',
    label LowCardinality(String) COMMENT 'Score in words',
    explanation String COMMENT 'Why, in the words of the evaluator' CODEC(ZSTD(1)),
    request UInt64 COMMENT 'XXH3 of the request that brought it',
    position UInt32 COMMENT 'Place in the request'
)
ENGINE = ReplacingMergeTree(received_at)
PARTITION BY toYYYYMM(time)
ORDER BY (project, trace_id, span_id, response_id, request, position)
SETTINGS non_replicated_deduplication_window = 10000, index_granularity = 1024, min_bytes_for_wide_part = 4294967296, min_parts_to_merge_at_once = 16
COMMENT 'Evaluation results that arrived as log records, one row each; read with FINAL where they are counted'
