"""How long a span took, and how long until the first token."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

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
        "ai.stream.firstChunk",
    ]
)
"""Span events that mark the arrival of streamed content: of OpenLLMetry now and once, one a chunk; of OpenInference; of
MLflow, numbered; of the AI SDK."""

COMPLETION_START = "langfuse.observation.completion_start_time"
"""The attribute that holds the instant of the first token: of Langfuse's SDKs, and of LiveKit for them."""

DAY_NS = 86_400 * 10**9
"""No first token takes longer."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant_ns(value: Any) -> int | None:
    """Return the ns since 1970 of an ISO 8601 time, None for anything else; UTC where it names no zone.

    The text may stand in quotes, or in quotes twice, as JSON in JSON does.
    """
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value.strip(' "\\'))
        since = (time if time.tzinfo else time.replace(tzinfo=UTC)) - _EPOCH
    except (ValueError, OverflowError):
        return None
    instant = since // timedelta(microseconds=1) * 1000
    return instant if 0 <= instant < 2**63 else None


def time_to_instant(instants: pa.StringArray, start: pa.TimestampArray) -> pa.Int64Array:
    """Return the time in ns from the start to an instant as `instant_ns` reads it.

    Null for none, for one before the start (such times are of microseconds: one in that of the start is the start) and for
    one more than a day after it.
    """
    if instants.null_count == len(instants):
        return pa.nulls(len(instants), pa.int64())
    at = pa.array([instant_ns(text) for text in instants.to_pylist()], pa.int64())
    passed = pc.subtract(at, start.cast(pa.int64()))
    passed = pc.if_else(pc.and_(pc.less(passed, 0), pc.greater(passed, -1000)), 0, passed)
    plausible = pc.and_(pc.greater_equal(passed, 0), pc.less_equal(passed, DAY_NS))
    return pc.if_else(plausible, passed, pa.scalar(None, pa.int64()))


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
