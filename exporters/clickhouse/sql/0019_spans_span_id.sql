-- Where a span is, when nothing but its id is known: OpenTelemetry's span id stands last in the sort key. Parts that are there
-- already get the index in the background.
ALTER TABLE spans
    ADD INDEX IF NOT EXISTS span_id_filter span_id TYPE bloom_filter(0.01) GRANULARITY 1,
    MATERIALIZE INDEX span_id_filter
