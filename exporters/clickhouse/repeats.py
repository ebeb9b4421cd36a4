"""Which of the spans that may count tell of a call that another one tells of: pure arithmetic on columns, no I/O.

Instrumentations of two layers (a framework and a client library; a client library and its own spans) may report one call
in spans that are not parent and child, or that are, but of which only one can be priced.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from exporters.clickhouse.tree import Bools, Ints, Trees, codes, valid

MOST_COMPARED = 64
"""With so many calls that begin while it runs, at most, a call without a response id is compared."""


def without_repeats(grown: Trees, counted: Bools, *, calls: Bools) -> Bools:
    """Return which spans count when every call counts once.

    `counted` says which spans count for what stands above and below them; `calls` which are model calls that report usage.
    """
    spans = grown.spans
    quality = calls * 8 + valid(spans["cost"]) * 4
    quality += valid(spans["input_tokens"]).astype(np.int64) + valid(spans["output_tokens"])
    counted = counted.copy()
    has_id = pc.not_equal(spans["response_id"], "").to_numpy()
    _let_the_priced_stand_in(grown, counted, calls & has_id)
    counted[_of_one_answer(grown, counted & has_id, quality)] = False
    without_id = counted & calls & ~has_id
    if without_id.any():
        counted[_beside_another(grown, counted & calls, without_id, quality)] = False
    return counted


def _let_the_priced_stand_in(grown: Trees, counted: Bools, calls: Bools) -> None:
    """Where a call has no price, but the call right above that tells of the same answer alone has: count that one."""
    spans = grown.spans
    priced = valid(spans["cost"])
    unpriced, wrappers = np.flatnonzero(calls & counted & ~priced), np.flatnonzero(calls & ~counted & priced)
    if not len(unpriced) or not len(wrappers):
        return
    answers = pc.is_in(spans["response_id"].take(pa.array(unpriced)), spans["response_id"].take(pa.array(wrappers)))
    ids = spans["response_id"]
    for call in unpriced[answers.to_numpy()].tolist():
        above = (row for row in grown.lineage(call) if calls[row] and priced[row] and not counted[row])
        wrapper = next((row for row in above if ids[row] == ids[call]), None)
        if wrapper is None:
            continue
        others = np.flatnonzero(counted & (grown.trace == grown.trace[call]))
        if not any(wrapper in grown.lineage(other) for other in others.tolist() if other != call):
            counted[call], counted[wrapper] = False, True


def _of_one_answer(grown: Trees, counted: Bools, quality: Ints) -> Ints:
    """Return the rows that tell of an answer that another one tells of better: their response ids are the same.

    Of those, a model call is believed rather than another span, then one that has a cost, then the one that reports
    more, then the one that began first; rows are in the order of their starts and span ids.
    """
    rows = np.flatnonzero(counted)
    ids = codes(grown.spans["response_id"].take(pa.array(rows)))
    if ids.max(initial=-1) + 1 == len(rows):  # all differ, as they nearly always do
        return rows[:0]
    answer = grown.trace[rows] * (int(ids.max()) + 1) + ids
    order = np.lexsort((rows, -quality[rows], answer))
    later = np.diff(answer[order], prepend=-1) == 0
    repeated: Ints = rows[order[later]]
    return repeated


@dataclass(frozen=True)
class _Call:
    """A model call, as it is compared with others of its trace."""

    row: int
    start: int
    end: int
    kind: str
    scope: str
    models: frozenset[str]
    usage: tuple[int | None, int | None]
    has_id: bool


def _beside_another(grown: Trees, counted: Bools, without_id: Bools, quality: Ints) -> list[int]:
    """Return the rows that tell of a call that another one tells of, as far as that can be told without response ids.

    Two calls are one if two instrumentation scopes report them, one while the other runs, and at or above the place of
    that in the tree; if at least one has no response id; if they name one model; and if they report one usage, or the
    one a part of the other's. Short calls choose first, what equals them most; each is one with one other at most.
    """
    repeated: list[int] = []
    parents = grown.spans["parent_span_id"]
    for calls in _calls_by_trace(grown, _rows_to_compare(grown, counted, without_id)):
        taken: set[int] = set()
        starts = [call.start for call in calls]
        for outer in sorted(calls, key=lambda call: (call.end - call.start, call.row)):
            if outer.row in taken:
                continue
            during = calls[bisect_left(starts, outer.start) : bisect_right(starts, outer.end)][:MOST_COMPARED]
            alike = [call for call in during if call.row not in taken and _is_one(outer, call)]
            if not alike:
                continue
            places = {parents[row].as_py() for row in (outer.row, *grown.lineage(outer.row))} - {""}
            beside = [call for call in alike if parents[call.row].as_py() in places]
            if beside:
                inner = min(beside, key=lambda call: (call.usage != outer.usage, call.start, call.row))
                taken |= {outer.row, inner.row}
                repeated.append(inner.row if quality[outer.row] > quality[inner.row] else outer.row)
    return repeated


def _rows_to_compare(grown: Trees, counted: Bools, without_id: Bools) -> Ints:
    """Return the calls of the traces that several instrumentations tell of, and that have calls without response ids.

    Most traces are told by one: they are left out here, on columns.
    """
    trace, scopes = grown.trace, codes(grown.spans["scope_name"])
    rows = np.flatnonzero(counted)
    traces = int(trace[-1]) + 1
    one_scope = np.empty(traces, np.int64)
    one_scope[trace[rows]] = scopes[rows]
    several, lacking = np.zeros(traces, bool), np.zeros(traces, bool)
    several[trace[rows[scopes[rows] != one_scope[trace[rows]]]]] = True
    lacking[trace[without_id]] = True
    found: Ints = rows[(several & lacking)[trace[rows]]]
    return found


def _calls_by_trace(grown: Trees, rows: Ints) -> Iterable[list[_Call]]:
    calls: defaultdict[int, list[_Call]] = defaultdict(list)
    for row, values in zip(rows.tolist(), grown.spans.take(pa.array(rows)).to_pylist(), strict=True):
        start, end = values["start_time"], values["end_time"]
        call = _Call(
            row,
            start,
            start if end is None else max(start, end),
            values["kind"],
            values["scope_name"],
            frozenset((values["request_model"], values["response_model"])) - {""},
            (values["input_tokens"], values["output_tokens"]),
            values["response_id"] != "",
        )
        calls[int(grown.trace[row])].append(call)
    return calls.values()


def _is_one(outer: _Call, inner: _Call) -> bool:
    """Whether these may be two reports of one call, the inner one while the outer runs."""
    return (
        outer.scope != inner.scope
        and outer.kind == inner.kind
        and outer.start <= inner.start <= inner.end <= outer.end
        and not (outer.has_id and inner.has_id)
        and not outer.models.isdisjoint(inner.models)
        and _same_usage(outer.usage, inner.usage)
    )


def _same_usage(one: tuple[int | None, int | None], other: tuple[int | None, int | None]) -> bool:
    """Whether a number is the same, and all that one reports is no more than what the other reports."""
    pairs = [(a or 0, b or 0) for a, b in zip(one, other, strict=True)]
    same = any(a == b > 0 for a, b in pairs)
    return same and (all(a <= b for a, b in pairs) or all(a >= b for a, b in pairs))
