"""The spans of whole traces as trees: the row of every span's parent. Pure arithmetic on columns, no I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


def deduplicate(spans: pa.Table) -> pa.Table:
    """Return the latest row of every (trace_id, span_id), ordered by trace, start time and span id.

    That is the one received last; of those received in the same millisecond, the one written last (`position`), which
    is also what the engine does with FINAL.
    """
    spans = spans.combine_chunks()
    trace = _ranks(spans["trace_id"])
    span = codes(spans["span_id"])
    both = np.sort(trace * (int(span.max(initial=0)) + 1) + span)
    if (both[1:] == both[:-1]).any():
        latest = _latest(spans)
        spans, trace = spans.take(latest), trace[latest]
    # Numbers are compared faster than the ids that they stand for.
    keys = pa.table({"trace": trace, "start_time": spans["start_time"], "span_id": spans["span_id"]})
    return spans.take(pc.sort_indices(keys, [(name, "ascending") for name in keys.column_names])).combine_chunks()


def _latest(spans: pa.Table) -> Ints:
    """Return the row of the latest of each span."""
    keys = [(name, "ascending") for name in ("trace_id", "span_id", "received_at", "position")]
    order = pc.sort_indices(spans, keys)
    ids = spans.select(("trace_id", "span_id")).take(order)
    same = pc.and_(*(pc.equal(ids[name][1:], ids[name][:-1]) for name in ids.column_names))
    latest: Ints = order.to_numpy()[np.append(~same.to_numpy(), True)]
    return latest


@dataclass(frozen=True)
class Trees:
    """Whole traces: one row per span, ordered by trace, start time and span id."""

    spans: pa.Table
    """The columns of ``sql/spans_of_traces.sql``."""
    trace: Ints
    """Number of the span's trace, in order."""
    parent: Ints
    """Row of the span's parent, -1 where that is not there. On a circle of parents the span that begins first has none."""

    def lineage(self, row: int) -> Iterator[int]:
        """Walk up from a row, without it."""
        while (row := int(self.parent[row])) >= 0:
            yield row

    def above(self, rows: Bools, through: Bools | None = None) -> Bools:
        """Return which rows lie above one of these; where `through` is false, the way up ends."""
        found = np.zeros(len(rows), bool)
        frontier = np.unique(self.parent[rows])
        while len(frontier := frontier[frontier >= 0]):
            frontier = frontier[~found[frontier]]
            found[frontier] = True
            if through is not None:
                frontier = frontier[through[frontier]]
            frontier = np.unique(self.parent[frontier])
        return found


def trees(spans: pa.Table) -> Trees:
    """Return the trees of some spans, which `deduplicate` has put in order."""
    trace = codes(spans["trace_id"])
    both = pa.chunked_array([*spans["span_id"].chunks, *spans["parent_span_id"].chunks], pa.string())
    ids = codes(both)
    span, parent = ids[: len(trace)], ids[len(trace) :]
    width = int(ids.max(initial=0)) + 1
    keys = trace * width + span
    order = np.argsort(keys, kind="stable")
    wanted = trace * width + parent
    found = np.minimum(np.searchsorted(keys, wanted, sorter=order), len(keys) - 1)
    rows = order[found]
    rows = np.where(keys[rows] == wanted, rows, -1)
    return Trees(spans, trace, _without_circles(rows))


def _without_circles(parent: Ints) -> Ints:
    """Cut every circle of parents above its first row.

    Rows stand in the order of their starts: on a circle, some parent is not before its child.
    """
    if not (parent >= np.arange(len(parent))).any():
        return parent
    ahead = parent
    for _ in range(len(parent).bit_length()):  # each round looks twice as far up
        ahead = np.where(ahead >= 0, ahead[ahead], -1)
    circling = set(ahead[ahead >= 0].tolist())  # only what leads into a circle has so many above it
    parent = parent.copy()
    for first in sorted(circling):
        if first not in circling:  # on a circle that is cut already
            continue
        row = first
        while row in circling:
            circling.discard(row)
            row = int(parent[row])
        parent[first] = -1
    return parent


def valid(column: pa.ChunkedArray) -> Bools:
    """Return where a column is not null."""
    found: Bools = column.is_valid().to_numpy()
    return found


def _ranks(column: pa.ChunkedArray) -> Ints:
    """Number the distinct values in their own order."""
    encoded = column.combine_chunks().dictionary_encode()
    ranks = np.empty(len(encoded.dictionary), np.int64)
    ranks[pc.sort_indices(encoded.dictionary).to_numpy()] = np.arange(len(ranks))
    found: Ints = ranks[encoded.indices.to_numpy()]
    return found


def codes(column: pa.ChunkedArray) -> Ints:
    """Number the distinct values in order of appearance."""
    encoded = column.combine_chunks().dictionary_encode()
    numbers: Ints = encoded.indices.to_numpy().astype(np.int64)
    return numbers
