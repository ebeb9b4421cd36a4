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


def time_to_first_token(reported: pa.Int64Array, streaming: pa.BooleanArray, taken: pa.Int64Array) -> pa.Int64Array:
    """Return the reported time to the first token in ns, null where it cannot be true.

    It is none when the call says that it did not stream (some senders then report the whole latency), and an error when
    it is longer than the span itself.
    """
    possible = pc.and_(pc.fill_null(streaming, True), pc.fill_null(pc.less_equal(reported, taken), True))
    return pc.if_else(possible, reported, pa.scalar(None, pa.int64()))
