-- What enrichment can tell beyond the first columns: by which vocabulary a span was read, further parts of usage and cost,
-- whether it counts, and what an application says about its prompt, its parameters and itself.
ALTER TABLE spans
    ADD COLUMN dialect LowCardinality(String) COMMENT 'Vocabulary by which the span was read' AFTER kind,
    ADD COLUMN prompt_name LowCardinality(String) COMMENT 'Name of the prompt template' AFTER tool_call_id,
    ADD COLUMN prompt_version LowCardinality(String) COMMENT 'Version of the prompt template' AFTER prompt_name,
    ADD COLUMN service_tier LowCardinality(String) COMMENT 'Tier that the call was processed in, as reported: batch, flex, priority, ...' AFTER prompt_version,
    ADD COLUMN metadata String COMMENT 'What the application says about the span or trace, a JSON object; empty if nothing' CODEC(ZSTD(1)) AFTER tags,
    ADD COLUMN model_parameters String COMMENT 'Parameters of the model call, a JSON object; empty if none' CODEC(ZSTD(1)) AFTER metadata,
    ADD COLUMN evaluations Array(Tuple(name String, score Nullable(Float64), label String, explanation String)) COMMENT 'Evaluation results that the span carries' CODEC(ZSTD(1)) AFTER tool_calls,
    ADD COLUMN total_tokens Nullable(Int64) COMMENT 'Total as the sender reports it; NULL if it reports none' AFTER output_tokens,
    ADD COLUMN cache_write_1h_tokens Nullable(Int64) COMMENT 'Part of cache_write_tokens that is kept for an hour' AFTER cache_write_tokens,
    ADD COLUMN usage_problem LowCardinality(String) COMMENT 'Why a token column is NULL, or the usage is not priced, although the sender reports something: negative, not_a_number, too_large, contradictory' AFTER token_basis,
    ADD COLUMN counts Bool DEFAULT kind IN ('LLM', 'EMBEDDING', 'RERANKER') COMMENT 'Whether usage and cost of the span count: false where it only repeats those of spans below it. Sums: sumIf(cost_total, counts)' AFTER usage_problem,
    ADD COLUMN cost_cache_read Nullable(Decimal(18, 12)) COMMENT 'Part of cost_input for tokens read from a cache' AFTER cost_output,
    ADD COLUMN cost_cache_write Nullable(Decimal(18, 12)) COMMENT 'Part of cost_input for tokens written to a cache' AFTER cost_cache_read,
    ADD COLUMN cost_reasoning Nullable(Decimal(18, 12)) COMMENT 'Part of cost_output for reasoning' AFTER cost_cache_write,
    ADD COLUMN cost_other Nullable(Decimal(18, 12)) COMMENT 'USD for what is not billed by tokens, such as a fee for each request' AFTER cost_reasoning,
    ADD COLUMN cost_reported Nullable(Decimal(18, 12)) COMMENT 'USD as the sender reports it; cost_total is this only where cost_source is reported' AFTER cost_total
