-- The new values of some spans, in memory, for one UPDATE after the other.
CREATE TABLE repricing_values
(
    trace_id String,
    span_id String,
    changed Bool,
    /*columns*/
)
ENGINE = Join(ANY, LEFT, trace_id, span_id)
SETTINGS persistent = 0, join_use_nulls = 0
