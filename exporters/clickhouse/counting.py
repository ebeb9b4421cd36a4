"""Whose usage counts towards its trace: pure arithmetic on columns, no I/O.

It is decided on all spans of a trace together, so that it does not depend on the order in which they arrive:

- Model calls count, unless a model call of their sort below them reports usage: then they only wrap it. There are two
  sorts, those that generate (LLM) and those that look up (EMBEDDING, RERANKER). What a tool calls that the model asked
  for is another call.
- Any other span that reports usage repeats the sum of what is below it, and counts only if nothing below it does. One that
  reports output does not repeat what is looked up below it, which has none.
- Of several spans with one response id, which two instrumentations side by side report, one counts.
- A fetch of an answer that is there already (operation `fetch_response`) never counts: whoever asked for it paid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

GENERATING, LOOKING_UP = pa.array(["LLM"]), pa.array(["EMBEDDING", "RERANKER"])
MODEL_CALLS = pa.array(["LLM", "EMBEDDING", "RERANKER"])

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Forest:
    """Whole traces: one row per span, ordered by trace, start time and span id, and what was decided about each."""

    spans: pa.Table
    """The columns of ``sql/spans_of_traces.sql``."""
    trace: Ints
    """Number of the span's trace, in order."""
    counts: Bools
    """Whether the usage of the span counts towards its trace."""


def forest(spans: pa.Table) -> Forest:
    """Decide about all spans of some traces.

    `spans` has the columns of ``sql/spans_of_traces.sql`` and any number of rows per span, of which the latest is taken.
    """
    spans = deduplicate(spans)
    trace, parent = tree(spans)
    return Forest(spans, trace, counts(spans, trace, parent))


def deduplicate(spans: pa.Table) -> pa.Table:
    """Return the latest row of every (trace_id, span_id), ordered by trace, start time and span id.

    That is the one received last; of those received in the same millisecond, the one written last (`position`), which
    is also what the engine does with FINAL.
    """
    spans = spans.combine_chunks()
    trace = _ranks(spans["trace_id"])
    span = _codes(spans["span_id"])
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


def tree(spans: pa.Table) -> tuple[Ints, Ints]:
    """Find every span's trace (numbered in order) and the row of its parent; a parent that is not there is -1."""
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
    return trace, np.where(rows == np.arange(len(rows)), -1, rows)


def counts(spans: pa.Table, trace: Ints, parent: Ints) -> Bools:
    """Return which spans' usage counts towards their trace."""
    reported = reports(spans)
    kind = spans["kind"].cast(pa.string())
    tool = pc.equal(kind, "TOOL").to_numpy()
    sorts = [reported & pc.is_in(kind, value_set=names).to_numpy() for names in (GENERATING, LOOKING_UP)]
    counted = np.zeros(len(spans), bool)
    for calls in sorts:
        counted |= calls & ~_ancestors(parent, calls, through=~tool)
    generating, looking_up = sorts
    above_calls = _ancestors(parent, generating) | (
        _ancestors(parent, looking_up) & (spans["output_tokens"].fill_null(0).to_numpy() == 0)
    )
    model_call = pc.is_in(kind, value_set=MODEL_CALLS).to_numpy()
    wrappers = reported & ~model_call & ~above_calls
    counted |= wrappers & ~_ancestors(parent, wrappers)
    return counted & ~_repeats(spans, trace, counted, model_call)


def reports(spans: pa.Table) -> Bools:
    """Return which spans report usage or a cost, apart from fetches of an answer."""
    reported: Bools = valid(spans["input_tokens"]) | valid(spans["output_tokens"]) | valid(spans["cost"])
    fetches: Bools = pc.equal(spans["operation"].cast(pa.string()), "fetch_response").to_numpy()
    return reported & ~fetches


def _repeats(spans: pa.Table, trace: Ints, counted: Bools, model_call: Bools) -> Bools:
    """Which of the spans that count tell of an answer that another one tells of: their response ids are the same.

    Of those, a model call is believed rather than another span, then one that has a cost, then the one that reports
    more, then the one that began first; rows are in the order of their starts and span ids.
    """
    repeats = np.zeros(len(spans), bool)
    rows = np.flatnonzero(counted & pc.not_equal(spans["response_id"], "").to_numpy())
    codes = _codes(spans["response_id"].take(pa.array(rows)))
    if codes.max(initial=-1) + 1 == len(rows):  # all differ, as they nearly always do
        return repeats
    answer = trace[rows] * (int(codes.max()) + 1) + codes
    quality = model_call * 8 + valid(spans["cost"]) * 4
    quality += valid(spans["input_tokens"]).astype(np.int64) + valid(spans["output_tokens"])
    order = np.lexsort((rows, -quality[rows], answer))
    later = np.diff(answer[order], prepend=-1) == 0
    repeats[rows[order[later]]] = True
    return repeats


def _ancestors(parent: Ints, spans: Bools, through: Bools | None = None) -> Bools:
    """Which rows lie above one of these; every row is visited once, so cycles end.

    Where `through` is false, the way up ends.
    """
    above = np.zeros(len(spans), bool)
    frontier = np.unique(parent[spans])
    while len(frontier := frontier[frontier >= 0]):
        frontier = frontier[~above[frontier]]
        above[frontier] = True
        if through is not None:
            frontier = frontier[through[frontier]]
        frontier = np.unique(parent[frontier])
    return above


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


def _codes(column: pa.ChunkedArray) -> Ints:
    """Number the distinct values in order of appearance."""
    encoded = column.combine_chunks().dictionary_encode()
    codes: Ints = encoded.indices.to_numpy().astype(np.int64)
    return codes
