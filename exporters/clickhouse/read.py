"""Reading traces back: one question, one .sql file, values always bound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from exporters.clickhouse.client import Readers
from exporters.clickhouse.connection import statement
from exporters.clickhouse.read_joined import Found, Joined
from exporters.clickhouse.read_reviews import ReviewReads
from exporters.clickhouse.read_sessions import SessionReads
from exporters.clickhouse.read_spans import SpanReads
from exporters.clickhouse.read_traces import TraceLists
from exporters.clickhouse.read_whole import WholeTraces
from exporters.clickhouse.span_rows import latest_rows, span_row, span_statement


class ClickHouseStore(SpanReads, SessionReads, ReviewReads):
    """Implements `exporters.base.Store`; may be used by many threads."""

    def __init__(self, readers: Readers) -> None:
        beside = ThreadPoolExecutor(max_workers=4, thread_name_prefix="read")
        joined = Joined(readers)
        lists = TraceLists(readers, beside)
        SpanReads.__init__(self, readers, joined)
        SessionReads.__init__(self, readers, lists, WholeTraces(readers, joined))
        ReviewReads.__init__(self, readers)
        self._readers = readers
        self._trace = statement("trace_by_id.sql")
        self._spans = span_statement("spans_of_trace.sql")
        self._joined = joined
        self._beside = beside
        self._lists = lists

    def trace(self, project: str, trace_id: str) -> tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]] | None:
        """Return one trace with its spans: see `exporters.base.Store.trace`."""
        values = {"project": project, "trace_id": trace_id}
        # At the same time: together they take little longer than the longest one, that of the spans.
        beside = self._beside.submit(self._beside_spans, project, trace_id)
        stored = self._readers.query(self._spans, values)
        row, joined = beside.result()
        if row is None:
            return None
        if len(stored) < row["span_count"]:  # the trace was written between the two reads, and its spans before its row
            stored = self._readers.query(self._spans, values)
        latest = latest_rows({**row, "trace_id": trace_id} for row in stored)
        spans = [span_row(row) for row in sorted(latest, key=lambda row: (row["start_time"], row["span_id"]))]
        self._joined.fill(project, spans, joined)
        return row, spans

    def _beside_spans(self, project: str, trace_id: str) -> tuple[Mapping[str, Any] | None, Found]:
        rows = self._readers.query(self._trace, {"project": project, "trace_id": trace_id})
        return (rows[0], self._joined.of_trace(project, trace_id)) if rows else (None, Found())

    def traces(self, project: str, filters: Any) -> tuple[Sequence[Mapping[str, Any]], int]:
        """Return one page of traces, and the number of matches: see `exporters.base.Store.traces`."""
        return self._lists.traces(project, filters)

    def ping(self) -> None:
        """Ask the database for nothing. Raises `Retryable` when it does not answer."""
        self._readers.query("SELECT 1", {})

    def close(self) -> None:
        """Close the read handles."""
        self._beside.shutdown()
        self._readers.close()
