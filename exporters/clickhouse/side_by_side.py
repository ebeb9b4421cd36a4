"""Calls that two instrumentations side by side report, at least one of them without the response id.

Frameworks tell of a call by callbacks, at whose time their span is not the current one: what the client library below
reports is not its child, but its sibling, or a sibling of a span above it.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from exporters.clickhouse.tree import Bools, Ints, Trees, codes

MOST_CALLS = 2048
"""In a trace with more calls that could be compared, none is."""

NEAR = 16
"""A call is compared with so many that begin after it, as many before it, and as many around the one of its own rank.

The last, because of calls that run at the same time all outer ones may begin before the first inner one does.
"""

MOST_LEVELS = 64
"""So far up the tree is looked."""

SHARE = 0.9
"""Of two that overlap, and of which none encloses the other, this share of each must be common to both."""

SUPPRESSING = "opentelemetry.instrumentation."
"""Instrumentations whose scopes begin so suppress each other: what two of them report is two calls."""

# What names of one model may differ in: who routes to it, where, and of which day it is.
_DECORATION = re.compile(r"^(.*/)?([a-z]+\.)*|([-@](20\d\d-?\d\d-?\d\d|latest))?(-v\d+(:\d+)?)?$")

Usage = tuple[int | None, ...]


@dataclass(frozen=True)
class Call:
    """A model call, as it is compared with others of its trace."""

    row: int
    start: int
    end: int
    kind: str
    service: str
    scope: str
    models: frozenset[str]
    usage: Usage
    response_id: str
    places: frozenset[str]
    """The spans below which another report of it may stand: its parent, and all above."""
    place: str
    """Its own parent, or that of the topmost of the model calls right above it."""


def beside_another(grown: Trees, counted: Bools, quality: Ints) -> list[int]:
    """Return the rows of model calls that tell of a call which another one tells of better.

    `counted` are the calls that count so far. Two are one if different scopes of one service report them, at or below
    one place in the tree, at the same time (one encloses the other, or they nearly coincide), of the same model and with
    the same usage. What coincides best is put together first; of each scope there is one report of a call, and all with
    a response id have the same.
    """
    repeated: list[int] = []
    for calls in _calls_by_trace(grown, _rows_to_compare(grown, counted)):
        for reports in _put_together(calls):
            best = max(reports, key=lambda call: (quality[call.row], bool(call.response_id), call.start, call.row))
            repeated += [call.row for call in reports if call is not best]
    return repeated


def same_usage(one: Usage, other: Usage) -> bool:
    """Whether these are reports of one usage: some number above 0 is the same, and none differs that both report so."""
    pairs = [(a, b) for a, b in zip(one, other, strict=True) if a and b]
    return bool(pairs) and all(a == b for a, b in pairs)


def _rows_to_compare(grown: Trees, counted: Bools) -> Ints:
    """Return the calls of the traces that several instrumentations tell of, and that have calls without response ids.

    Most traces are told by one: they are left out here, on columns.
    """
    rows = np.flatnonzero(counted)
    without_id = counted & pc.equal(grown.spans["response_id"], "").to_numpy()
    if not without_id.any():
        return rows[:0]
    trace, scopes = grown.trace, codes(grown.spans["scope_name"])
    traces = int(trace[-1]) + 1
    one_scope = np.empty(traces, np.int64)
    one_scope[trace[rows]] = scopes[rows]
    several, lacking = np.zeros(traces, bool), np.zeros(traces, bool)
    several[trace[rows[scopes[rows] != one_scope[trace[rows]]]]] = True
    lacking[trace[without_id]] = True
    few = np.bincount(trace[rows], minlength=traces) <= MOST_CALLS
    found: Ints = rows[(several & lacking & few)[trace[rows]]]
    return found


def _calls_by_trace(grown: Trees, rows: Ints) -> Iterator[list[Call]]:
    places: dict[int, frozenset[str]] = {}
    calls: defaultdict[int, list[Call]] = defaultdict(list)
    kinds = grown.spans["kind"]
    for row, values in zip(rows.tolist(), grown.spans.take(pa.array(rows)).to_pylist(), strict=True):
        start, end, parent = values["start_time"], values["end_time"], int(grown.parent[row])
        top = row
        for above in islice(grown.lineage(row), MOST_LEVELS):
            if kinds[above].as_py() != values["kind"]:
                break
            top = above
        place = grown.spans["parent_span_id"][top].as_py()
        if parent not in places:
            places[parent] = frozenset(_places(grown, row))
        call = Call(
            row=row,
            start=start,
            end=start if end is None else max(start, end),
            kind=values["kind"],
            service=values["service_name"],
            scope=values["scope_name"],
            models=frozenset(map(_undecorated, (values["request_model"], values["response_model"]))) - {""},
            usage=(values["input_tokens"], values["output_tokens"]),
            response_id=values["response_id"],
            places=places[parent] if parent >= 0 else frozenset({values["parent_span_id"]} - {""}),
            place=place,
        )
        calls[int(grown.trace[row])].append(call)
    yield from calls.values()


def _places(grown: Trees, row: int) -> Iterator[str]:
    parents = grown.spans["parent_span_id"]
    for one in (row, *islice(grown.lineage(row), MOST_LEVELS)):
        if parent := parents[one].as_py():
            yield parent


@lru_cache(maxsize=4096)
def _undecorated(model: str) -> str:
    return _DECORATION.sub("", model.lower())


def _put_together(calls: Sequence[Call]) -> list[list[Call]]:
    """Return the groups of two and more reports of one call."""
    group = {call.row: [call] for call in calls}
    for one, other in sorted(_pairs(calls), key=lambda pair: _distance(*pair)):
        first, second = group[one.row], group[other.row]
        if first is second or {call.scope for call in first} & {call.scope for call in second}:
            continue
        if len({call.response_id for call in (*first, *second)} - {""}) > 1:
            continue
        first.extend(second)
        group.update((call.row, first) for call in second)
    return [reports for row, reports in group.items() if len(reports) > 1 and reports[0].row == row]


def _pairs(calls: Sequence[Call]) -> Iterator[tuple[Call, Call]]:
    """The pairs that may be one call, each as often as it is found; `calls` are in the order of their starts."""
    alike: defaultdict[tuple[object, ...], list[Call]] = defaultdict(list)
    for call in calls:
        for side, count in enumerate(call.usage):
            if count:
                alike[side, count, call.kind, call.service].append(call)
    for same in alike.values():
        by_scope: defaultdict[str, list[Call]] = defaultdict(list)
        for call in same:
            by_scope[call.scope].append(call)
        if len(by_scope) == 1:
            continue
        for rank, call in _ranked(by_scope):
            for scope, others in by_scope.items():
                if scope != call.scope:
                    place = bisect_left(others, call.start, key=lambda other: other.start)
                    near = {at for middle in (place, rank) for at in range(middle - NEAR, middle + NEAR)}
                    for at in near:
                        if 0 <= at < len(others) and (_is_one(call, others[at]) or _is_one(others[at], call)):
                            yield call, others[at]


def _ranked(by_scope: Mapping[str, Sequence[Call]]) -> Iterator[tuple[int, Call]]:
    """Each call with its rank in its scope."""
    for calls in by_scope.values():
        yield from enumerate(calls)


def _distance(one: Call, other: Call) -> tuple[int, int, int]:
    apart = abs(one.start - other.start) + abs(one.end - other.end)
    return apart, min(one.row, other.row), max(one.row, other.row)


def _is_one(outer: Call, inner: Call) -> bool:
    """Whether these may be two reports of one call, of which the second is found at the place of the first or above."""
    return (
        not (outer.response_id and inner.response_id)
        and same_usage(outer.usage, inner.usage)
        and not outer.models.isdisjoint(inner.models)
        and not (outer.scope.startswith(SUPPRESSING) and inner.scope.startswith(SUPPRESSING))
        and inner.place in outer.places
        and _at_one_time(outer, inner)
    )


def _at_one_time(one: Call, other: Call) -> bool:
    if one.start <= other.start <= other.end <= one.end:
        return True
    common = min(one.end, other.end) - max(one.start, other.start)
    return common > 0 and common >= SHARE * max(one.end - one.start, other.end - other.start)
