"""One row per trace from its spans: pure arithmetic on columns, no I/O. Which of them count is decided in `counting`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from exporters.clickhouse.counting import Forest, forest
from exporters.clickhouse.tree import Bools, Ints, valid


def roll_up(spans: pa.Table, versions: Mapping[str, int]) -> pa.Table:
    """Return one row per trace, with the columns of the table `traces` but for `project`.

    `spans` has the columns of ``sql/spans_of_traces.sql``, any number of rows per span. `versions` holds the version of
    each trace's present row; the new row's is one higher.
    """
    return trace_rows(forest(spans), versions)


def trace_rows(grown: Forest, versions: Mapping[str, int]) -> pa.Table:
    """Return the rows of `roll_up` for spans that are deduplicated and decided about."""
    spans, counted = grown.spans, grown.counts
    first = np.flatnonzero(np.diff(grown.trace, prepend=-1))
    start = spans["start_time"].to_numpy()
    end = spans["end_time"].fill_null(0).to_numpy()
    root, roots_failed, running = _roots(grown, first)
    last_end = np.maximum.reduceat(end, first)
    open_ended = running | (last_end < start[first])
    trace_ids = spans["trace_id"].take(pa.array(first)).combine_chunks()
    priced = counted & valid(spans["cost"])
    cost = np.where(priced, spans["cost"].fill_null(0).to_numpy(), 0)
    failed = pc.equal(spans["status_code"], "ERROR").to_numpy()
    return pa.table(
        {
            "trace_id": trace_ids,
            "version": pa.array([versions.get(trace_id, 0) + 1 for trace_id in trace_ids.to_pylist()], pa.uint64()),
            "status": pa.array(np.where(running, "RUNNING", np.where(roots_failed, "ERROR", "COMPLETED"))),
            "name": spans["name"].take(pa.array(root)),
            "root_span_id": pc.if_else(pa.array(running), "", spans["span_id"].take(pa.array(root))),
            "start_time": _time(start[first]),
            "last_start_time": _time(np.maximum.reduceat(start, first)),
            "end_time": _time(last_end, open_ended),
            "latency_ns": pa.array(last_end - start[first], mask=open_ended),
            **{name: _first_text(grown, name, root) for name in _TEXTS},
            "tags": _tags(grown, root),
            "span_count": pa.array(np.diff(first, append=len(spans)), pa.uint32()),
            "error_count": pa.array(_sum(failed, first), pa.uint32()),
            "input_tokens": _count(np.where(counted, _filled(spans["input_tokens"]), 0), first),
            "output_tokens": _count(np.where(counted, _filled(spans["output_tokens"]), 0), first),
            "cost_total": _decimal(cost, first, _sum(priced, first) == 0),
            "unpriced_spans": pa.array(_sum(counted & ~valid(spans["cost"]), first), pa.uint32()),
        }
    )


_TEXTS = ("service_name", "environment", "release", "session_id", "user_id")


def _roots(grown: Forest, first: Ints) -> tuple[Ints, Bools, Bools]:
    """Per trace: the row of its earliest root (of its earliest span, if none), whether a root failed, and is missing."""
    spans = grown.spans
    is_root = pc.equal(spans["parent_span_id"], "").to_numpy()
    failed = is_root & pc.equal(spans["status_code"], "ERROR").to_numpy()
    rows = np.flatnonzero(is_root)
    with_root, position = np.unique(grown.trace[rows], return_index=True)
    root = first.copy()
    root[with_root] = rows[position]
    missing = np.ones(len(first), bool)
    missing[with_root] = False
    return root, _sum(failed, first) > 0, missing


def _first_text(grown: Forest, name: str, root: Ints) -> pa.Array:
    """Per trace the text of its root, or of its earliest span that has one."""
    column = grown.spans[name].cast(pa.string())
    rows = np.flatnonzero(pc.not_equal(column, "").to_numpy())
    having, position = np.unique(grown.trace[rows], return_index=True)
    chosen = root.copy()
    chosen[having] = rows[position]
    root_has = pc.not_equal(column.take(pa.array(root)), "").to_numpy()
    return column.take(pa.array(np.where(root_has, root, chosen)))


def _tags(grown: Forest, root: Ints) -> pa.Array:
    """Per trace the distinct tags of all its spans, sorted."""
    spans = grown.spans
    lengths = pc.list_value_length(spans["tags"]).fill_null(0).to_numpy()
    if not lengths.any():
        return pa.ListArray.from_arrays(np.zeros(len(root) + 1, np.int32), pa.array([], pa.string()))
    gathered: list[set[str]] = [set() for _ in root]
    rows = np.flatnonzero(lengths)
    for trace, tags in zip(grown.trace[rows].tolist(), spans["tags"].take(pa.array(rows)).to_pylist(), strict=True):
        gathered[trace].update(tags)
    return pa.array([sorted(tags) for tags in gathered], pa.list_(pa.string()))


def _filled(column: pa.ChunkedArray) -> Ints:
    filled: Ints = column.fill_null(0).to_numpy()
    return filled


def _sum(values: npt.NDArray[Any], first: Ints) -> Ints:
    sums: Ints = np.add.reduceat(values.astype(np.int64), first)
    return sums


def _time(nanoseconds: Ints, mask: Bools | None = None) -> pa.Array:
    return pa.array(nanoseconds, pa.timestamp("ns", "UTC"), mask=mask)


def _wide_sum(values: Ints, first: Ints) -> tuple[Ints, Ints]:
    """Sum of non-negative numbers per trace, in two halves of 64 and 32 bits: in one of 64 it could overflow."""
    low = _sum(values & 0xFFFFFFFF, first)
    return _sum(values >> 32, first) + (low >> 32), low & 0xFFFFFFFF


def _count(values: Ints, first: Ints) -> pa.Array:
    """Tokens per trace; a sum that is too large for the column, which no honest sender reaches, is its largest number."""
    high, low = _wide_sum(values, first)
    return pa.array(np.where(high >> 31, np.iinfo(np.int64).max, (high << 32) | low))


def _decimal(units: Ints, first: Ints, mask: Bools) -> pa.Array:
    """Sum of money in 1e-12 USD per trace as Decimal(38, 12): an integer of 128 bits, low half first."""
    high, low = _wide_sum(units, first)
    halves = np.empty((len(high), 2), np.int64)
    halves[:, 0], halves[:, 1] = (high << 32) | low, high >> 32
    valid = pa.array(~mask).buffers()[1]
    return pa.Array.from_buffers(pa.decimal128(38, 12), len(high), [valid, pa.py_buffer(halves)])
