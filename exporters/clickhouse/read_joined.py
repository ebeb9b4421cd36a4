"""What arrived as log records, joined to the spans of a trace when it is read: content, errors and evaluations.

Whichever came first: nothing is joined when it is written. The tables are asked only once something has arrived, so that
reading costs nothing more where nobody sends content as logs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from exporters.clickhouse.client import Readers
from exporters.clickhouse.connection import statement

Row = Mapping[str, Any]
Span = dict[str, Any]

LOOK_AGAIN_S = 1.0
"""Tables in which nothing was found are looked at again after this many seconds."""

_CONTENT = ("input", "output", "system_instructions", "tool_definitions")
_IDENTITY = ("trace_id", "span_id", "response_id", "request", "position")
_EVALUATION = ("name", "score", "label", "explanation")

_OF_TRACE = "trace_id = {trace_id:String}"
_OF_TRACES = "trace_id IN {trace_ids:Array(String)}"
_OF_SPANS = "trace_id IN {trace_ids:Array(String)} AND span_id IN {span_ids:Array(String)}"
_OF_RESPONSES = "trace_id = '' AND span_id = '' AND response_id IN {response_ids:Array(String)}"


@dataclass(frozen=True)
class Found:
    """Rows of both tables."""

    content: Sequence[Row] = ()
    evaluations: Sequence[Row] = ()


class Joined:
    """Reads what is to be joined; may be used by many threads. Every method raises `Retryable` or `Permanent`."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers
        self._look = statement("tables_to_join.sql")
        self._statements = {
            (name, owner): statement(f"joined_{name}.sql").replace("/*owner*/ 1", owner)
            for name in ("content", "evaluations")
            for owner in (_OF_TRACE, _OF_TRACES, _OF_SPANS, _OF_RESPONSES)
        }
        # Table (or table_of_responses) -> whether it has rows. One that has is taken to have some for good.
        self._has: Mapping[str, int] = {}
        self._look_again = 0.0

    def of_trace(self, project: str, trace_id: str) -> Found:
        """Return what stands under the ids of this trace; for this, its spans need not be known."""
        return self._found(_OF_TRACE, {"project": project, "trace_id": trace_id})

    def of_traces(self, project: str, trace_ids: Sequence[str]) -> Found:
        """Return what stands under the ids of some traces."""
        return self._found(_OF_TRACES, {"project": project, "trace_ids": trace_ids})

    def of_spans(self, project: str, trace_ids: Sequence[str], span_ids: Sequence[str]) -> Found:
        """Return what stands under the ids of spans, which may be in several traces."""
        return self._found(_OF_SPANS, {"project": project, "trace_ids": trace_ids, "span_ids": span_ids})

    def _found(self, owner: str, values: Mapping[str, Any]) -> Found:
        self._look_at_tables()
        names = [name for name in ("content", "evaluations") if self._has.get(name)]
        return Found(**{name: self._readers.query(self._statements[name, owner], values) for name in names})

    def fill(self, project: str, spans: Sequence[Span], found: Found) -> None:
        """Fill what these spans lack from what stands under their ids, or under those of their responses."""
        fill_content(spans, found.content)
        add_evaluations(spans, found.evaluations)
        lacking = [span for span in spans if lacks_content(span) or lacks_error(span)]
        for name, asked, fill in (("content", lacking, fill_content), ("evaluations", spans, add_evaluations)):
            self._fill_from_responses(name, project, asked, fill)

    def _fill_from_responses(
        self, name: str, project: str, spans: Sequence[Span], fill: Callable[[Sequence[Span], Sequence[Row]], None]
    ) -> None:
        response_ids = sorted({span["response_id"] for span in spans} - {""})
        if response_ids and self._has.get(f"{name}_of_responses"):
            values = {"project": project, "response_ids": response_ids}
            fill(spans, self._readers.query(self._statements[name, _OF_RESPONSES], values))

    def _look_at_tables(self) -> None:
        if (self._has and all(self._has.values())) or time.monotonic() < self._look_again:
            return
        (self._has,) = self._readers.query(self._look, {})
        self._look_again = time.monotonic() + LOOK_AGAIN_S


def fill_content(spans: Iterable[Span], rows: Sequence[Row]) -> None:
    """Fill the empty content of spans, and the error of failed ones, from rows of `span_content`."""
    for span, own in _with_rows(spans, rows):
        for name in _CONTENT:
            span[name] = span[name] or combined(name, own)
        if lacks_error(span):
            error_type = combined("error_type", own)
            span["error"] = combined("error", own) or span["error"] or error_type
            span["error_type"] = span["error_type"] or error_type


def add_evaluations(spans: Iterable[Span], rows: Sequence[Row]) -> None:
    """Add rows of `evaluations` to those of spans, with `time` (ns) and `user_id`; none that a span itself carries."""
    for span, own in _with_rows(spans, rows):
        for row in sorted(own, key=_order):
            said = {name: row[name] for name in _EVALUATION}
            evaluation = {**said, "user_id": row["user_id"], "time": row["time"]}
            if said not in span["evaluations"] and evaluation not in span["evaluations"]:
                span["evaluations"].append(evaluation)


def combined(name: str, rows: Iterable[Row]) -> str:
    """Return one field of a span's rows: the latest that is complete, or else all messages in the order of their times."""
    filled = [row for row in rows if row[name]]
    complete = [row for row in filled if row["complete"]]
    if complete:
        text: str = max(complete, key=lambda row: (row["received_at"], row["request"], row["position"]))[name]
        return text
    # Each is a JSON list of messages: together, one list.
    return f"[{','.join(row[name][1:-1] for row in sorted(filled, key=_order))}]" if filled else ""


def lacks_content(span: Row) -> bool:
    """Whether content of the span may stand elsewhere."""
    return span["kind"] != "OTHER" and not (span["input"] and span["output"])


def lacks_error(span: Row) -> bool:
    """Whether nothing is known of a failed span but that it failed, and the type of its error."""
    return span["status_code"] == "ERROR" and span["error"] in ("", span["error_type"])


def _order(row: Row) -> tuple[int, ...]:
    return (row["time"], row["received_at"], row["position"])


def _with_rows(spans: Iterable[Span], rows: Sequence[Row]) -> Iterable[tuple[Span, list[Row]]]:
    """Each span that some of the rows belong to, with them: those of its id, and those of its response that name no span."""
    if not rows:
        return
    by_span: dict[tuple[str, str], list[Row]] = {}
    by_response: dict[str, list[Row]] = {}
    for row in {tuple(row[name] for name in _IDENTITY): row for row in rows}.values():  # each once
        if row["span_id"]:
            by_span.setdefault((row["trace_id"], row["span_id"]), []).append(row)
        else:
            by_response.setdefault(row["response_id"], []).append(row)
    for span in spans:
        if own := by_span.get((span["trace_id"], span["span_id"]), []) + by_response.get(span["response_id"], []):
            yield span, own
