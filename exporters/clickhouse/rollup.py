"""One row per trace from its spans: pure arithmetic on columns, no I/O.

Whether a span's usage counts is decided here, on the whole tree, so that it does not depend on the order in which spans
arrive. Model calls (LLM, EMBEDDING, RERANKER) count, unless another model call below them reports usage: then they only
wrap it. Any other span that reports usage repeats the sum of what is below it, and counts only if nothing below it does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

MODEL_CALLS = pa.array(["LLM", "EMBEDDING", "RERANKER"])

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Tree:
    """Spans by trace and start time; `parent` is the row of the parent, or -1."""

    trace: Ints
    parent: Ints


def deduplicate(spans: pa.Table) -> pa.Table:
    """Return one row per (trace_id, span_id), the one received last, ordered by trace, start time and span id."""
    keys = [(name, "ascending") for name in ("trace_id", "span_id", "received_at")]
    spans = spans.take(pc.sort_indices(spans, keys)).combine_chunks()
    if len(spans) > 1:
        same = pc.and_(*(pc.equal(spans[name][1:], spans[name][:-1]) for name in ("trace_id", "span_id")))
        last = np.append(~same.to_numpy(), True)
        spans = spans.filter(pa.array(last))
    keys = [(name, "ascending") for name in ("trace_id", "start_time", "span_id")]
    return spans.take(pc.sort_indices(spans, keys)).combine_chunks()


def tree(spans: pa.Table) -> Tree:
    """Find every span's trace (numbered in order) and parent row; a parent that is not there is -1."""
    trace = _codes(spans["trace_id"])
    both = pa.chunked_array([*spans["span_id"].chunks, *spans["parent_span_id"].chunks], pa.string())
    codes = _codes(both)
    span, parent = codes[: len(trace)], codes[len(trace) :]
    width = int(codes.max(initial=0)) + 1
    keys = trace * width + span
    order = np.argsort(keys, kind="stable")
    wanted = trace * width + parent
    found = np.minimum(np.searchsorted(keys, wanted, sorter=order), len(keys) - 1)
    rows = order[found]
    rows = np.where(keys[rows] == wanted, rows, -1)
    return Tree(trace, np.where(rows == np.arange(len(rows)), -1, rows))


def counts(spans: pa.Table, tree: Tree) -> Bools:
    """Return which spans' usage counts towards their trace."""
    reported = _valid(spans["input_tokens"]) | _valid(spans["output_tokens"])
    model_call = pc.is_in(spans["kind"].cast(pa.string()), value_set=MODEL_CALLS).to_numpy()
    calls = reported & model_call
    above_calls = _ancestors(tree, calls)
    wrappers = reported & ~model_call & ~above_calls
    above_wrappers = _ancestors(tree, wrappers)
    result: Bools = (calls & ~above_calls) | (wrappers & ~above_wrappers)
    return result


def _ancestors(tree: Tree, spans: Bools) -> Bools:
    """Which rows lie above one of these; every row is visited once, so cycles end."""
    above = np.zeros(len(spans), bool)
    frontier = np.unique(tree.parent[spans])
    while len(frontier := frontier[frontier >= 0]):
        frontier = frontier[~above[frontier]]
        above[frontier] = True
        frontier = np.unique(tree.parent[frontier])
    return above


def roll_up(spans: pa.Table, versions: Mapping[str, int]) -> pa.Table:
    """Return one row per trace, with the columns of the table `traces` but for `project`.

    `spans` has the columns of `sql/spans_of_traces.sql`, any number of rows per span, and at least one row. `versions`
    holds the version of each trace's present row; the new row's is one higher.
    """
    spans = deduplicate(spans)
    found = tree(spans)
    first = np.flatnonzero(np.diff(found.trace, prepend=-1))
    start = spans["start_time"].to_numpy()
    end = spans["end_time"].fill_null(0).to_numpy()
    root, roots_failed, running = _roots(spans, found, first)
    counted = counts(spans, found)
    last_end = np.maximum.reduceat(end, first)
    open_ended = running | (last_end < start[first])
    trace_ids = spans["trace_id"].take(pa.array(first)).combine_chunks()
    priced = counted & _valid(spans["cost"])
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
            **{name: _first_text(spans, name, found, root) for name in _TEXTS},
            "tags": _tags(spans, found, root),
            "span_count": pa.array(np.diff(first, append=len(spans)), pa.uint32()),
            "error_count": pa.array(_sum(failed, first), pa.uint32()),
            "input_tokens": _count(np.where(counted, _filled(spans["input_tokens"]), 0), first),
            "output_tokens": _count(np.where(counted, _filled(spans["output_tokens"]), 0), first),
            "cost_total": _decimal(cost, first, _sum(priced, first) == 0),
            "unpriced_spans": pa.array(_sum(counted & ~_valid(spans["cost"]), first), pa.uint32()),
        }
    )


_TEXTS = ("service_name", "environment", "release", "session_id", "user_id")


def _roots(spans: pa.Table, found: Tree, first: Ints) -> tuple[Ints, Bools, Bools]:
    """Per trace: the row of its earliest root (of its earliest span, if none), whether a root failed, and is missing."""
    is_root = pc.equal(spans["parent_span_id"], "").to_numpy()
    failed = is_root & pc.equal(spans["status_code"], "ERROR").to_numpy()
    rows = np.flatnonzero(is_root)
    with_root, position = np.unique(found.trace[rows], return_index=True)
    root = first.copy()
    root[with_root] = rows[position]
    missing = np.ones(len(first), bool)
    missing[with_root] = False
    return root, _sum(failed, first) > 0, missing


def _first_text(spans: pa.Table, name: str, found: Tree, root: Ints) -> pa.Array:
    """Per trace the text of its root, or of its earliest span that has one."""
    column = spans[name].cast(pa.string())
    rows = np.flatnonzero(pc.not_equal(column, "").to_numpy())
    having, position = np.unique(found.trace[rows], return_index=True)
    chosen = root.copy()
    chosen[having] = rows[position]
    root_has = pc.not_equal(column.take(pa.array(root)), "").to_numpy()
    return column.take(pa.array(np.where(root_has, root, chosen)))


def _tags(spans: pa.Table, found: Tree, root: Ints) -> pa.Array:
    """Per trace the distinct tags of all its spans, sorted."""
    lengths = pc.list_value_length(spans["tags"]).fill_null(0).to_numpy()
    if not lengths.any():
        return pa.ListArray.from_arrays(np.zeros(len(root) + 1, np.int32), pa.array([], pa.string()))
    gathered: list[set[str]] = [set() for _ in root]
    rows = np.flatnonzero(lengths)
    for trace, tags in zip(found.trace[rows].tolist(), spans["tags"].take(pa.array(rows)).to_pylist(), strict=True):
        gathered[trace].update(tags)
    return pa.array([sorted(tags) for tags in gathered], pa.list_(pa.string()))


def _codes(column: Any) -> Ints:
    """Number the distinct values in order of appearance."""
    encoded = column.combine_chunks().dictionary_encode()
    codes: Ints = encoded.indices.to_numpy().astype(np.int64)
    return codes


def _valid(column: pa.ChunkedArray) -> Bools:
    valid: Bools = column.is_valid().to_numpy()
    return valid


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
