"""How long a span took, and how long until the first token."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def latency(start: pa.TimestampArray, end: pa.TimestampArray) -> pa.Int64Array:
    """Return end - start in ns; null while there is no end, or when a clock ran backwards."""
    taken = end.cast(pa.int64()).fill_null(0).to_numpy() - start.cast(pa.int64()).to_numpy()
    unknown = end.is_null().to_numpy(zero_copy_only=False) | (taken < 0)
    return pa.array(taken.astype(np.int64), mask=unknown)


FIRST_TOKEN_EVENTS = pa.array(
    [
        "gen_ai.content.completion.chunk",
        "llm.content.completion.chunk",
        "First Token Stream Event",
        "mlflow.chunk.item.0",
    ]
)
"""Span events that mark the arrival of streamed content: of OpenLLMetry now and once, one a chunk; of OpenInference; of
MLflow, numbered."""


def time_to_first_event(events: pa.ListArray, start: pa.TimestampArray) -> pa.Int64Array:
    """Return the time in ns from the start to the first event that marks streamed content; null without such an event."""
    offsets = events.offsets.to_numpy()
    flat = events.flatten()
    if not len(flat):
        return pa.nulls(len(events), pa.int64())
    time, name = flat.field("time").cast(pa.int64()).to_numpy(), flat.field("name")
    marks = np.flatnonzero(pc.is_in(name, value_set=FIRST_TOKEN_EVENTS).to_numpy(zero_copy_only=False))
    rows = np.repeat(np.arange(len(events)), np.diff(offsets))[marks]
    earliest = np.full(len(events), np.iinfo(np.int64).max)
    np.minimum.at(earliest, rows, time[marks])
    begun = start.cast(pa.int64()).to_numpy()
    none = (earliest == np.iinfo(np.int64).max) | (earliest < begun)
    return pa.array(np.where(none, 0, earliest - begun), mask=none)


def time_to_first_token(reported: pa.Int64Array, streaming: pa.BooleanArray, taken: pa.Int64Array) -> pa.Int64Array:
    """Return the reported time to the first token in ns, null where it cannot be true.

    It is none when the call says that it did not stream (some senders then report the whole latency), and an error when
    it is longer than the span itself.
    """
    possible = pc.and_(pc.fill_null(streaming, True), pc.fill_null(pc.less_equal(reported, taken), True))
    return pc.if_else(possible, reported, pa.scalar(None, pa.int64()))
