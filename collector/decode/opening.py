"""Opening closed records: all at once into columns, with what exceeds the limits on counts cut.

Work per record is only done on records that exceed a limit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from collector.batch import byte_lengths
from collector.decode import wire
from collector.decode.limits import (
    ALWAYS_AFFORDABLE,
    MAX_ELEMENTS,
    CutCounts,
    CutRecord,
    Limits,
    count_elements,
    cut_attributes,
    cut_records,
    cut_span,
    exceeds,
    no_cuts,
)
from collector.errors import TooLarge


@dataclass(frozen=True)
class Kind:
    """A kind of record: how many of it become columns, and how one of it is cut."""

    read: Callable[[pa.BinaryArray], pa.RecordBatch]
    cut: CutRecord


def _cutting_attributes(skeleton: type) -> CutRecord:
    def cut(record: bytes, limits: Limits) -> tuple[bytes, tuple[int, int, int]]:
        shorter, attributes = cut_attributes(record, skeleton, limits)
        return shorter, (attributes, 0, 0)

    return cut


SPANS = Kind(wire.read_spans, cut_span)
LOG_RECORDS = Kind(wire.read_log_records, _cutting_attributes(wire.LogRecordSkeleton))
NUMBER_DATA_POINTS = Kind(wire.read_number_data_points, _cutting_attributes(wire.NumberDataPointSkeleton))
HISTOGRAM_DATA_POINTS = Kind(wire.read_histogram_data_points, _cutting_attributes(wire.HistogramDataPointSkeleton))
EXPONENTIAL_HISTOGRAM_DATA_POINTS = Kind(
    wire.read_exponential_histogram_data_points, _cutting_attributes(wire.ExponentialHistogramDataPointSkeleton)
)


def open_records(closed: pa.BinaryArray, kind: Kind, limits: Limits) -> tuple[pa.RecordBatch, CutCounts]:
    """Decode the closed records. What exceeds the limits on counts is cut: before, where it could cost much memory.

    Raises ValueError when one of them is no message of its kind, `TooLarge` when together they hold more than
    `MAX_ELEMENTS` attributes, events, links and buckets.
    """
    if closed.nbytes > ALWAYS_AFFORDABLE:
        closed, cuts = cut_records(closed, kind.cut, limits)
        return _open_in_portions(closed, kind), cuts
    records = kind.read(closed)
    if exceeds(records, limits):
        closed, cuts = cut_records(closed, kind.cut, limits)
        return kind.read(closed), cuts
    return records, no_cuts(len(closed))


def _open_in_portions(closed: pa.BinaryArray, kind: Kind) -> pa.RecordBatch:
    """Decode many closed records, some at a time, and stop as soon as they turn out to hold more than may be kept."""
    ends = np.cumsum(byte_lengths(closed))
    portions = [kind.read(closed.slice(0, 0))]  # the columns, should there be no records
    first = elements = 0
    while first < len(closed):
        before = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, before + ALWAYS_AFFORDABLE, side="right")))
        portions.append(kind.read(closed.slice(first, last - first)))
        elements += count_elements(portions[-1])
        if elements > MAX_ELEMENTS:
            raise TooLarge(
                f"the request holds more than {MAX_ELEMENTS} attributes, events, links and buckets: send smaller"
                " batches"
            )
        first = last
    return pa.concat_batches(portions)
