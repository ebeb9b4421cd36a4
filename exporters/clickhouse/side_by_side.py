"""Calls that two instrumentations side by side report, at least one of them without the response id.

Frameworks tell of a call by callbacks, at whose time their span is not the current one: what the client library below
reports is not its child, but its sibling, or a sibling of a span above it.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right, insort
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

NEAR = 64
"""So many calls are tried for one, at most."""

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
    above: frozenset[str]
    """Its parent, and all spans above."""
    places: frozenset[str]
    """Where its own instrumentation stands in the tree: its parent, and those of the model calls and of the spans of its own
    scope that are right above it."""


Groups = Mapping[int, Sequence[Call]]
"""By the row of a call, what is known to be one with it, itself too."""


def beside_another(grown: Trees, counted: Bools, quality: Ints) -> list[int]:
    """Return the rows of model calls that tell of a call which another one tells of better.

    `counted` are the calls that count so far. Two are one if different scopes of one service report them, below one place
    in the tree, at the same time (one encloses the other, or they nearly coincide), of the same model and with the same
    usage. Of each scope there is one report of a call, and all with a response id have the same.
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
    kinds, scopes, parents = (grown.spans[name] for name in ("kind", "scope_name", "parent_span_id"))
    for row, values in zip(rows.tolist(), grown.spans.take(pa.array(rows)).to_pylist(), strict=True):
        start, end, parent = values["start_time"], values["end_time"], int(grown.parent[row])
        own = [row]
        for above in islice(grown.lineage(row), MOST_LEVELS):
            if kinds[above].as_py() != values["kind"] and scopes[above].as_py() != values["scope_name"]:
                break
            own.append(above)
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
            above=places[parent] if parent >= 0 else frozenset({values["parent_span_id"]} - {""}),
            places=frozenset(parents[one].as_py() for one in own) - {""},
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
    """Return the groups of two and more reports of one call; `calls` are in the order of their starts."""
    group: dict[int, list[Call]] = {call.row: [call] for call in calls}
    for side in (1, 0):  # by their output; what tells of none, by its input
        alike: defaultdict[tuple[object, ...], dict[str, list[Call]]] = defaultdict(dict)
        for call in calls:
            if call.usage[side] and group[call.row][0] is call:
                alike[call.usage[side], call.kind, call.service].setdefault(call.scope, []).append(call)
        for by_scope in alike.values():
            first, *others = by_scope.values()
            for other in others:
                pairs = list(_matched(first, other, group))
                for one, another in pairs:
                    group[one.row].extend(group[another.row])
                    group.update((call.row, group[one.row]) for call in group[another.row])
                joined = {another.row for _, another in pairs}
                first = sorted([*first, *(call for call in other if call.row not in joined)], key=_start)
    return [reports for row, reports in group.items() if len(reports) > 1 and reports[0].row == row]


def _matched(ones: Sequence[Call], others: Sequence[Call], group: Groups) -> Iterator[tuple[Call, Call]]:
    """The pairs of two sides that are one call: as many as enclose each other, then those that nearly coincide."""
    taken: set[int] = set()

    def free(calls: Sequence[Call]) -> list[Call]:
        return [call for call in calls if call.row not in taken]

    for outers, inners in ((ones, others), (others, ones)):
        for outer, inner in _nested(free(outers), free(inners), group):
            taken |= {outer.row, inner.row}
            yield (outer, inner) if outers is ones else (inner, outer)
    left = free(others)
    for one in free(ones):
        place = bisect_left(left, one.start, key=_start)
        for other in left[max(place - NEAR, 0) : place + NEAR]:
            if other.row not in taken and _nearly_coincide(one, other) and _may_be_one(one, other, group):
                taken.add(other.row)
                yield one, other
                break


def _nested(outers: Sequence[Call], inners: Sequence[Call], group: Groups) -> Iterator[tuple[Call, Call]]:
    """Pair calls with calls that they enclose.

    From the last one to begin on, each takes of those that begin no earlier the one that ends last, but no later: no other
    choice makes more pairs.
    """
    waiting, begun = list(inners), list[Call]()
    for outer in reversed(outers):
        while waiting and waiting[-1].start >= outer.start:
            insort(begun, waiting.pop(), key=_end)
        last = bisect_right(begun, outer.end, key=_end)
        for place in range(last - 1, max(last - 1 - NEAR, -1), -1):
            if _may_be_one(outer, begun[place], group):
                yield outer, begun.pop(place)
                break


def _may_be_one(one: Call, other: Call, group: Groups) -> bool:
    """Whether these may be two reports of one call, and all that is one with either may be one with the other."""
    reports = [*group[one.row], *group[other.row]]
    return (
        same_usage(one.usage, other.usage)
        and not one.models.isdisjoint(other.models)
        and not (one.above.isdisjoint(other.places) and other.above.isdisjoint(one.places))
        and any(not call.response_id for call in (one, other))
        and len({call.response_id for call in reports} - {""}) <= 1
        and len({call.scope for call in reports}) == len(reports)
        and sum(call.scope.startswith(SUPPRESSING) for call in reports) <= 1
    )


def _nearly_coincide(one: Call, other: Call) -> bool:
    common = min(one.end, other.end) - max(one.start, other.start)
    return common > 0 and common >= SHARE * max(one.end - one.start, other.end - other.start)


def _start(call: Call) -> int:
    return call.start


def _end(call: Call) -> int:
    return call.end
