"""From the spans of some traces to the runs that filled the columns of one row.

Table, row and column may stand on different spans, each on the model call itself or on one above it (an agent, a task):
a span belongs to the nearest that says so. A run is all spans of one trace that belong to one column. Of several runs of a
column the latest stands, because that is the one whose value the column has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from collector.query.attributes import text_attribute
from collector.query.reader import Row
from collector.settings_attributes import LassoAttributes


@dataclass(frozen=True)
class Run:
    """The spans that filled one column once."""

    column: str
    spans: Sequence[Row]
    """All of them, by start time."""
    calls: Sequence[Row]
    """Those of them that are calls of a model, at least one."""


@dataclass(frozen=True)
class _Place:
    """Which cell a span belongs to."""

    table: str | None = None
    row: str | None = None
    column: str | None = None


def runs_of(table: str, row: str, spans: Iterable[Row], names: LassoAttributes) -> list[Run]:
    """Return the latest run of each column, in the order in which they began."""
    by_start = sorted(spans, key=lambda span: (span["start_time"], span["span_id"]))
    of_cell: dict[tuple[str, str], list[Row]] = {}
    for span, place in zip(by_start, _places(by_start, names), strict=True):
        if (place.table, place.row) == (table, row) and place.column:
            of_cell.setdefault((place.column, span["trace_id"]), []).append(span)
    latest: dict[str, Run] = {}
    for (column, _), own in of_cell.items():  # a later one replaces an earlier
        if calls := _model_calls(own):
            latest.pop(column, None)
            latest[column] = Run(column, own, calls)
    return list(latest.values())


def _places(spans: Sequence[Row], names: LassoAttributes) -> list[_Place]:
    """Return where each span belongs: what it says itself, and for the rest what its nearest ancestor says."""
    by_id: Mapping[tuple[str, str], Row] = {(span["trace_id"], span["span_id"]): span for span in spans}
    known: dict[tuple[str, str], _Place] = {}
    for span in spans:
        way: list[Row] = []
        at: Row | None = span
        # Up to the root, or to a span whose place is known; a span that is its own ancestor is met on the way.
        while at is not None and (key := (at["trace_id"], at["span_id"])) not in known:
            known[key] = _Place()
            way.append(at)
            at = by_id.get((at["trace_id"], at["parent_span_id"]))
        place = _Place() if at is None else known[at["trace_id"], at["span_id"]]
        for each in reversed(way):
            place = known[each["trace_id"], each["span_id"]] = _below(place, each, names)
    return [known[span["trace_id"], span["span_id"]] for span in spans]


def _below(above: _Place, span: Row, names: LassoAttributes) -> _Place:
    table, row = text_attribute(span, names.table), text_attribute(span, names.row)
    column = text_attribute(span, names.column)
    if (table or above.table, row or above.row) != (above.table, above.row):
        return _Place(table or above.table, row or above.row, column or (above.column if above.row is None else None))
    return _Place(above.table, above.row, column or above.column)


def _model_calls(spans: Sequence[Row]) -> list[Row]:
    """Return the calls of a model among spans, each once: without those that wrap another, or tell of one that is told of."""
    calls = [span for span in spans if span["kind"] == "LLM" and not _repeats(span)]
    parents = {span["parent_span_id"] for span in calls}
    return [span for span in calls if span["span_id"] not in parents]


def _repeats(span: Row) -> bool:
    """Whether the span reports usage or a cost that does not count, because other spans report it."""
    reported = (span["input_tokens"], span["output_tokens"], span["cost_total"])
    return not span["counts"] and any(value is not None for value in reported)
