"""Reading traces back: one question, one .sql file, values always bound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from exporters.clickhouse.client import Readers, statement
from exporters.clickhouse.read_joined import Found, Joined
from exporters.clickhouse.read_reviews import ReviewReads
from exporters.clickhouse.read_sessions import SessionReads
from exporters.clickhouse.read_spans import SpanReads
from exporters.clickhouse.span_rows import latest_rows, span_row, span_statement

# What a list may be sorted by: the API's word and the column. Identifiers come from here and nowhere else.
_SORT_COLUMNS = {
    "started_at": "traces.start_time",
    "ended_at": "traces.end_time",
    "name": "name",
    "latency": "latency_ns",
    "status": "status",
}

# A filter that is set, and the condition that it adds.
_CONDITIONS = {
    "session_id": "session_id = {session_id:String}",
    "status": "status = {status:String}",
    "user_id": "user_id = {user_id:String}",
    "tags": "hasAny(tags, {tags:Array(String)})",
    "name": "positionCaseInsensitiveUTF8(name, {name:String}) > 0",
    "started_after_ns": "traces.start_time >= fromUnixTimestamp64Nano({started_after_ns:Int64})",
    "started_before_ns": "traces.start_time < fromUnixTimestamp64Nano({started_before_ns:Int64})",
}


class ClickHouseStore(SpanReads, SessionReads, ReviewReads):
    """Implements `exporters.base.Store`; may be used by many threads."""

    def __init__(self, readers: Readers) -> None:
        joined = Joined(readers)
        SpanReads.__init__(self, readers, joined)
        SessionReads.__init__(self, readers)
        ReviewReads.__init__(self, readers)
        self._readers = readers
        self._trace = statement("trace_by_id.sql")
        self._spans = span_statement("spans_of_trace.sql")
        self._joined = joined
        self._beside = ThreadPoolExecutor(max_workers=4, thread_name_prefix="read")

    def trace(self, project: str, trace_id: str) -> tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]] | None:
        """Return one trace with its spans: see `exporters.base.Store.trace`."""
        values = {"project": project, "trace_id": trace_id}
        # At the same time: together they take little longer than the longest one, that of the spans.
        beside = self._beside.submit(self._beside_spans, project, trace_id)
        stored = self._readers.query(self._spans, values)
        row, joined = beside.result()
        if row is None:
            return None
        latest = latest_rows({**row, "trace_id": trace_id} for row in stored)
        spans = [span_row(row) for row in sorted(latest, key=lambda row: (row["start_time"], row["span_id"]))]
        self._joined.fill(project, spans, joined)
        return row, spans

    def _beside_spans(self, project: str, trace_id: str) -> tuple[Mapping[str, Any] | None, Found]:
        rows = self._readers.query(self._trace, {"project": project, "trace_id": trace_id})
        return (rows[0], self._joined.of_trace(project, trace_id)) if rows else (None, Found())

    def traces(self, project: str, filters: Any) -> tuple[Sequence[Mapping[str, Any]], int]:
        """Return one page of traces, and the number of matches: see `exporters.base.Store.traces`."""
        page, values = list_statement(project, filters)
        count, _ = count_statement(project, filters)
        return self._readers.query(page, values), int(self._readers.query(count, values)[0]["matches"])

    def ping(self) -> None:
        """Ask the database for nothing. Raises `Retryable` when it does not answer."""
        self._readers.query("SELECT 1", {})

    def close(self) -> None:
        """Close the read handles."""
        self._beside.shutdown()
        self._readers.close()


def _conditions(filters: Any) -> tuple[str, dict[str, Any]]:
    values = {name: getattr(filters, name) for name in _CONDITIONS}
    values = {name: value for name, value in values.items() if value is not None and value != ()}
    where = " AND ".join(["project = {project:String}", *(_CONDITIONS[name] for name in values)])
    return where, {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def list_statement(project: str, filters: Any) -> tuple[str, dict[str, Any]]:
    """Return the SQL and the bound values of one page of the list of traces."""
    where, values = _conditions(filters)
    order = f"{_SORT_COLUMNS[filters.sort_by]} {'DESC' if filters.descending else 'ASC'} NULLS LAST, trace_id"
    sql = statement("list_traces.sql").replace("/*where*/ 1", where).replace("/*order*/ trace_id", order)
    return sql, {"project": project, "limit": filters.limit, "offset": filters.offset, **values}


def count_statement(project: str, filters: Any) -> tuple[str, dict[str, Any]]:
    """Return the SQL and the bound values that count the matches of a list of traces."""
    where, values = _conditions(filters)
    return statement("count_traces.sql").replace("/*where*/ 1", where), {"project": project, **values}
