"""Whole traces, several at once: their rows with all their spans, and what arrived as logs filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from collector.errors import Permanent
from exporters.clickhouse.arrow import HexIds
from exporters.clickhouse.client import Readers
from exporters.clickhouse.read_joined import Joined
from exporters.clickhouse.span_rows import latest_rows, span_row, span_statement

Row = Mapping[str, Any]

MOST_SPANS = 20_000
"""Spans that one answer may hold of several traces: at 3 KB each 60 MB."""

MOST_MINUTES = 60
"""A trace whose spans lie in more minutes than this is looked for by itself, between its first start and its last."""

_MINUTE = 60 * 10**9


class WholeTraces:
    """Reads the spans of some traces; may be used by many threads."""

    def __init__(self, readers: Readers, joined: Joined) -> None:
        self._readers = readers
        self._joined = joined
        self._of_trace = span_statement("spans_of_trace.sql")
        self._of_page = span_statement("spans_of_page.sql")

    def of(self, project: str, traces: Sequence[Row]) -> list[tuple[Row, Sequence[Row]]]:
        """Return each of these trace rows with its spans by start time and id.

        The rows have a `last_start_time`. Raises `Permanent` when several traces have more than `MOST_SPANS` together, and
        what the readers raise.
        """
        together = sum(trace["span_count"] for trace in traces)
        if len(traces) > 1 and together > MOST_SPANS:
            raise Permanent(
                f"the {len(traces)} traces of this page have {together} spans, and one answer may have {MOST_SPANS}: ask"
                " for fewer traces, with a smaller limit"
            )
        trace_ids = [trace["trace_id"] for trace in traces]
        joined = self._joined.of_traces(project, trace_ids)
        spans = [span_row(row) for row in latest_rows(self._stored(project, traces))]
        self._joined.fill(project, spans, joined)
        of_trace: dict[str, list[Row]] = {trace_id: [] for trace_id in trace_ids}
        for span in sorted(spans, key=lambda span: (span["start_time"], span["span_id"])):
            of_trace[span["trace_id"]].append(span)
        return [(trace, of_trace[trace["trace_id"]]) for trace in traces]

    def _stored(self, project: str, traces: Sequence[Row]) -> list[dict[str, Any]]:
        """Return all stored rows of the spans of these traces."""
        short, rows = [], []
        for trace in traces:
            if len(_minutes(trace)) <= MOST_MINUTES:
                short.append(trace)
            else:
                trace_id = trace["trace_id"]
                found = self._readers.query(self._of_trace, {"project": project, "trace_id": trace_id})
                rows += [{**row, "trace_id": trace_id} for row in found]
        if short:
            values = {
                "project": project,
                "trace_ids": HexIds(trace["trace_id"] for trace in short),
                "minutes": sorted({60 * minute for trace in short for minute in _minutes(trace)}),
                "first": min(trace["start_time"] for trace in short),
                "last": max(trace["last_start_time"] for trace in short),
            }
            rows += self._readers.query(self._of_page, values)
        return rows


def _minutes(trace: Row) -> range:
    """Return the minutes since the epoch in which the spans of a trace begin."""
    return range(trace["start_time"] // _MINUTE, trace["last_start_time"] // _MINUTE + 1)
