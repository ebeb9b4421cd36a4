"""Lists of traces: first the ids, on the columns that filter and sort; then the rows of these ids.

A row of `traces` is replaced by the next one of its trace, and reading with FINAL means to merge every part with all others,
which takes the longer the more parts there are. A page near the beginning needs no such merge: its rows are among the first
ones, with or without those that have been replaced, and which of these stand is seen when their traces are fetched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from typing import Any

from exporters.clickhouse.client import Readers
from exporters.clickhouse.connection import statement

Row = Mapping[str, Any]

# What a list may be sorted by: the API's word and the column. Identifiers come from here and nowhere else.
_SORT_COLUMNS = {
    "started_at": "traces.start_time",
    "ended_at": "traces.end_time",
    "name": "name",
    "latency": "latency_ns",
    "status": "status",
}

# A filter that is set, and the condition that it adds.
CONDITIONS = {
    "session_id": "session_id = {session_id:String}",
    "status": "status = {status:String}",
    "user_id": "traces.user_id = {user_id:String}",
    "tags": "hasAny(traces.tags, {tags:Array(String)})",
    "name": "positionCaseInsensitiveUTF8(name, {name:String}) > 0",
    "started_after_ns": "traces.start_time >= fromUnixTimestamp64Nano({started_after_ns:Int64})",
    "started_before_ns": "traces.start_time < fromUnixTimestamp64Nano({started_before_ns:Int64})",
}

NEAR = 1000
"""Pages that end within as many traces are looked for among the first rows."""

SPARE = 10
"""As many traces more than the page needs are fetched, in case some of their first rows have been replaced."""

ROWS_PER_TRACE = 4
"""As many rows for each of these traces are looked through. A trace that grows has several for a while."""


class TraceLists:
    """Answers `exporters.base.Store.traces`; may be used by many threads."""

    def __init__(self, readers: Readers, beside: Executor) -> None:
        """Read through `readers`; what can be asked at the same time runs `beside`."""
        self._readers = readers
        self._beside = beside

    def traces(self, project: str, filters: Any) -> tuple[Sequence[Row], int]:
        """Return one page of traces, and the number of matches."""
        if not filters.counted:
            page = self.page(project, filters)
            return page, len(page)
        sql, values = count_statement(project, filters)
        matches = self._beside.submit(self._readers.query, sql, values)
        page = self.page(project, filters)
        return page, int(matches.result()[0]["matches"])

    def page(self, project: str, filters: Any) -> Sequence[Row]:
        """Return one page of traces."""
        if filters.offset + filters.limit <= NEAR:
            page = self._near_page(project, filters)
            if page is not None:
                return page
        found = self._readers.query(*list_statement(project, filters))
        standing = {row["trace_id"]: row for row in self._rows(project, filters, found) if row["stands"]}
        # A trace that was written since has another row now, and is shown where it was found.
        return [_shown(standing[row["trace_id"]]) for row in found if row["trace_id"] in standing]

    def _near_page(self, project: str, filters: Any) -> Sequence[Row] | None:
        """Return the page if the first rows of the order hold all of it, else None.

        Of some first rows that match, the traces are fetched with all their rows. What stands and matches among these, as
        far as the first rows reach, is the beginning of the list: any other row comes after them.
        """
        needed = filters.offset + filters.limit
        limit = ROWS_PER_TRACE * (needed + SPARE)
        found = self._readers.query(*candidates_statement(project, filters, limit))
        first = _of_first_traces(found, needed + SPARE)
        complete = len(first) == len(found) < limit
        rows = self._rows(project, filters, first)
        if not complete:
            rows = _as_far_as(first[-1], rows)
        page = [_shown(row) for row in rows if row["stands"] and row["matches"]]
        return page[filters.offset : needed] if complete or len(page) >= needed else None

    def _rows(self, project: str, filters: Any, of: Sequence[Row]) -> list[dict[str, Any]]:
        """Return all rows of these traces in the order of the list, and whether each `stands` and `matches`."""
        if not of:
            return []
        sql, values = rows_statement(project, filters, list(dict.fromkeys(row["trace_id"] for row in of)))
        rows = self._readers.query(sql, values)
        latest: dict[str, dict[str, Any]] = {}
        for row in rows:
            if row["version"] > latest.setdefault(row["trace_id"], row)["version"]:
                latest[row["trace_id"]] = row
        return [{**row, "stands": row is latest[row["trace_id"]]} for row in rows]


def _shown(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in ("version", "matches", "stands")}


def _of_first_traces(rows: Sequence[Row], count: int) -> Sequence[Row]:
    """Return the rows before the first one of a further trace than the first `count`."""
    traces: set[str] = set()
    for position, row in enumerate(rows):
        traces.add(row["trace_id"])
        if len(traces) > count:
            return rows[:position]
    return rows


def _as_far_as(last: Row, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows to this one, or none if it is not there any more."""
    keys = [(row["trace_id"], row["version"]) for row in rows]
    key = (last["trace_id"], last["version"])
    return rows[: keys.index(key) + 1] if key in keys else []


def conditions(filters: Any, known: Mapping[str, str] = CONDITIONS) -> tuple[str, dict[str, Any]]:
    """Return the condition of the filters that are set, and the values that it binds."""
    values = {name: getattr(filters, name) for name in known}
    values = {name: value for name, value in values.items() if value is not None and value != ()}
    where = " AND ".join(["project = {project:String}", *(known[name] for name in values)])
    return where, {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def candidates_statement(project: str, filters: Any, rows: int) -> tuple[str, dict[str, Any]]:
    """Return the SQL and the bound values of the first rows of a list of traces."""
    sql, values = _ordered("candidate_traces.sql", filters)
    return sql, {"project": project, "rows": rows, **values}


def rows_statement(project: str, filters: Any, trace_ids: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """Return the SQL and the bound values of all rows of some traces, in the order of a list."""
    sql, values = _ordered("rows_of_traces.sql", filters)
    return sql, {"project": project, "trace_ids": trace_ids, **values}


def list_statement(project: str, filters: Any) -> tuple[str, dict[str, Any]]:
    """Return the SQL and the bound values of one page of the list of traces, wherever it lies."""
    sql, values = _ordered("list_traces.sql", filters)
    return sql, {"project": project, "limit": filters.limit, "offset": filters.offset, **values}


def count_statement(project: str, filters: Any) -> tuple[str, dict[str, Any]]:
    """Return the SQL and the bound values that count the matches of a list of traces."""
    where, values = conditions(filters)
    name = "count_traces.sql" if values else "count_all_traces.sql"
    return statement(name).replace("/*where*/ 1", where), {"project": project, **values}


def _ordered(name: str, filters: Any) -> tuple[str, dict[str, Any]]:
    where, values = conditions(filters)
    order = f"{_SORT_COLUMNS[filters.sort_by]} {'DESC' if filters.descending else 'ASC'} NULLS LAST, trace_id"
    return statement(name).replace("/*where*/ 1", where).replace("/*order*/ trace_id", order), values
