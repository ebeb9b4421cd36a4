"""Records of the journal, decoded anew: as they were when they arrived, or the part of them that is meant."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from collector.batch import SignalBatch
from collector.decode import Limits, decode
from collector.errors import Permanent
from collector.journal import Record
from collector.signals import Signal

_DAY = 86_400 * 10**9


def decode_again(record: Record, limits: Limits) -> SignalBatch:
    """Return the records that are meant of a journaled request.

    Raises `Permanent`, also when there are others than there were, because the limits have changed: then nobody knows
    which are meant.
    """
    arrived = record.received_at_ns
    batch = decode(record.signal, record.payload, project=record.project, received_at=arrived, limits=limits).batch
    if record.part is None:
        return batch
    if len(batch) != record.part.of:
        raise Permanent(
            f"the request had {record.part.of} records and decodes to {len(batch)} now: set the limits (decode) back to"
            " what they were when it arrived, then retry it"
        )
    return batch.take(record.part.rows)


def spans_by_day(batch: SignalBatch) -> Counter[tuple[str, int]]:
    """Count spans by project and day of their start since the epoch (UTC). Of other signals no books are kept: none."""
    days: Counter[tuple[str, int]] = Counter()
    if batch.signal is not Signal.TRACES:
        return days
    projects = batch.column("project").cast(pa.string())
    starts = batch.column("start_time").cast(pa.int64()).to_numpy() // _DAY
    for project in pc.unique(projects).to_pylist():
        own = pc.equal(projects, project).to_numpy(zero_copy_only=False)
        for day, count in zip(*np.unique(starts[own], return_counts=True), strict=True):
            days[project, int(day)] += int(count)
    return days
