"""Reading traces back: one question, one .sql file, values always bound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson

from exporters.clickhouse.client import Readers, statement
from exporters.clickhouse.read_joined import Found, Joined
from exporters.clickhouse.read_reviews import ReviewReads
from exporters.clickhouse.read_sessions import SessionReads
from exporters.clickhouse.read_spans import SpanReads

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

_ATTRIBUTE_MAPS = ("attributes_string", "attributes_int", "attributes_double", "attributes_bool")


class ClickHouseStore(SpanReads, SessionReads, ReviewReads):
    """Implements `exporters.base.Store`; may be used by many threads."""

    def __init__(self, readers: Readers) -> None:
        SpanReads.__init__(self, readers)
        SessionReads.__init__(self, readers)
        ReviewReads.__init__(self, readers)
        self._readers = readers
        self._trace = statement("trace_by_id.sql")
        self._spans = statement("spans_of_trace.sql")
        self._joined = Joined(readers)
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
        spans = [_span(trace_id, row) for row in _one_each(stored)]
        self._joined.fill(project, spans, joined)
        return row, spans

    def _beside_spans(self, project: str, trace_id: str) -> tuple[Mapping[str, Any] | None, Found]:
        rows = self._readers.query(self._trace, {"project": project, "trace_id": trace_id})
        return (rows[0], self._joined.of_trace(project, trace_id)) if rows else (None, Found())

    def traces(self, project: str, filters: Any) -> tuple[Sequence[Mapping[str, Any]], int]:
        """Return one page of traces, and the number of matches: see `exporters.base.Store.traces`."""
        page, values = list_statement(project, filters)
        rows = self._readers.query(page, values)
        if not filters.counted:
            return rows, len(rows)
        count, _ = count_statement(project, filters)
        return rows, int(self._readers.query(count, values)[0]["matches"])

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


def span_uuid(trace_id: str, span_id: str) -> str:
    """Return the alias column `span_uuid` of the table `spans`; ``""`` for no span."""
    if not span_id:
        return ""
    return f"{trace_id[:8]}-{trace_id[8:12]}-4{trace_id[12:14]}{span_id[0]}-8{span_id[1:4]}-{span_id[4:]}"


def _one_each(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the row of each span that was received last, by start time and span id."""
    latest: dict[str, Mapping[str, Any]] = {}
    for row in sorted(rows, key=lambda row: row["received_at"]):
        latest[row["span_id"]] = row
    return sorted(latest.values(), key=lambda row: (row["start_time"], row["span_id"]))


def _span(trace_id: str, row: Mapping[str, Any]) -> dict[str, Any]:
    span = {name: value for name, value in row.items() if not name.startswith("attributes_")}
    span["span_uuid"] = span_uuid(trace_id, row["span_id"])
    span["parent_span_uuid"] = span_uuid(trace_id, row["parent_span_id"])
    attributes: dict[str, Any] = {}
    for name in _ATTRIBUTE_MAPS:
        attributes.update(row[name])
    attributes.update((key, orjson.loads(value)) for key, value in row["attributes_json"].items())
    span["attributes"] = attributes
    span["resource"] = orjson.loads(row["resource"])
    span["events"] = [_with_fields(event, ("time", "name")) for event in row["events"]]
    span["links"] = [_with_fields(link, ("trace_id", "span_id")) for link in row["links"]]
    span["tool_calls"] = [dict(call) for call in row["tool_calls"]]
    span["evaluations"] = [dict(evaluation) for evaluation in row["evaluations"]]
    for name in ("metadata", "model_parameters"):
        span[name] = orjson.loads(row[name]) if row[name] else {}
    return span


def _with_fields(value: Mapping[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    """Return these fields of an event or a link, and its attributes parsed."""
    return {**{field: value[field] for field in fields}, "attributes": orjson.loads(value["attributes"])}
