-- Every rate that costs were computed with, one row each, so that a cost can be traced, recomputed and compared in SQL.
-- Versions stand side by side: a row is never changed, a newer price book is added beside it when the collector starts.
-- Of the rows of one model, unit, service tier and input_tokens_above, the one with the latest valid_from that has begun
-- applies; of those with several input_tokens_above, the highest that the call exceeds.
CREATE TABLE prices
(
    version LowCardinality(String) COMMENT 'Price book and its version, as in spans.price_version',
    source LowCardinality(String) COMMENT 'genai-prices or configuration',
    provider LowCardinality(String) COMMENT 'Provider in the price book; empty where a configured price is for any',
    model String COMMENT 'Model in the price book, as in spans.price_model' CODEC(ZSTD(1)),
    rule String COMMENT 'Which names of models lead to it' CODEC(ZSTD(1)),
    unit LowCardinality(String) COMMENT 'What is billed: a token column of spans, another unit of genai-prices, or requests. A token is billed at the rate of the most specific unit that has one',
    service_tier LowCardinality(String) COMMENT 'batch, flex, priority or fast; empty for the ordinary price',
    input_tokens_above UInt64 COMMENT 'The rate is for all tokens of a call with more input tokens than this',
    rate Decimal(38, 24) COMMENT 'USD for one token or request',
    valid_from Date COMMENT 'First day (UTC) of the rate; 1970-01-01 if it is undated',
    from_second UInt32 COMMENT 'Start of the daily window (UTC) of the rate, in seconds after midnight',
    until_second UInt32 COMMENT 'End of the window, excluded; 86400 is midnight, less than from_second runs past it',
    loaded_at DateTime('UTC') DEFAULT now() COMMENT 'When a collector first had this version'
)
ENGINE = ReplacingMergeTree
ORDER BY (version, provider, model, unit, service_tier, input_tokens_above, valid_from, from_second)
COMMENT 'Prices, one row a rate; read with FINAL'
