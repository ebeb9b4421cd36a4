"""Reading traces summed up: by session, by user, by time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collector.errors import Permanent
from exporters.clickhouse.client import Readers
from exporters.clickhouse.connection import statement
from exporters.clickhouse.read_traces import CONDITIONS, TraceLists, conditions
from exporters.clickhouse.read_whole import WholeTraces

Row = Mapping[str, Any]

MOST_PERIODS = 10_000
"""Periods that one answer may have: of hours more than a year."""

MOST_MODELS = 10
"""Models that are ranked."""

# What sessions may be sorted by: the API's word and the expression. Identifiers come from here and nowhere else.
_SORT_EXPRESSIONS = {
    "recent": "max(traces.start_time)",
    "trace_count": "count()",
    "latency": "sum(toInt128(traces.latency_ns))",
    "cost": "ifNull(sum(traces.cost_total), 0)",
}

_CONDITIONS = {
    **{name: CONDITIONS[name] for name in ("user_id", "tags", "started_after_ns", "started_before_ns")},
    "query": "positionCaseInsensitiveUTF8(session_id, {query:String}) > 0",
}

_HAS_ERROR = {None: "1", True: "countIf(status = 'ERROR') > 0", False: "countIf(status = 'ERROR') = 0"}

_ONE_SESSION = "project = {project:String} AND session_id = {session_id:String}"

_PERIODS = {
    "hour": "toStartOfHour(traces.start_time)",
    "day": "toStartOfDay(traces.start_time)",
    "week": "toDateTime(toMonday(traces.start_time), 'UTC')",
}

_METRICS = {
    **dict.fromkeys(("volume", "errors", "latency"), "analytics_traces.sql"),
    **dict.fromkeys(("cost", "tokens"), "analytics_usage.sql"),
    "models": "analytics_models.sql",
}


@dataclass(frozen=True)
class _OfSession:
    """One page of the traces of a session, in the order in which they began: see `exporters.clickhouse.read_traces`."""

    session_id: str
    limit: int
    offset: int
    status: None = None
    user_id: None = None
    tags: tuple[str, ...] = ()
    name: None = None
    started_after_ns: None = None
    started_before_ns: None = None
    sort_by: str = "started_at"
    descending: bool = False


class SessionReads:
    """Implements `collector.query.reader.SessionReader`."""

    def __init__(self, readers: Readers, lists: TraceLists, whole: WholeTraces) -> None:
        self._readers = readers
        self._lists = lists
        self._whole = whole

    def sessions(self, project: str, filters: Any) -> tuple[Sequence[Row], int]:
        """Return one page of sessions, and how many match in all."""
        page = self._readers.query(*sessions_statement(project, filters))
        matches = self._readers.query(*count_sessions_statement(project, filters))
        return page, int(matches[0]["matches"])

    def session(
        self, project: str, session_id: str, limit: int, offset: int
    ) -> tuple[Row, Sequence[tuple[Row, Sequence[Row]]]] | None:
        """Return a session and one page of its traces with their spans, or None. Raises `Permanent`: see `WholeTraces`."""
        found = self._readers.query(*session_statement(project, session_id))
        if not found:
            return None
        page = self._lists.page(project, _OfSession(session_id, limit, offset))
        return found[0], self._whole.of(project, page)

    def users(self, project: str, limit: int, offset: int) -> tuple[Sequence[Row], int]:
        """Return one page of users, and how many there are in all."""
        page = self._readers.query(statement("list_users.sql"), {"project": project, "limit": limit, "offset": offset})
        matches = self._readers.query(statement("count_users.sql"), {"project": project})
        return page, int(matches[0]["matches"])

    def analytics(
        self, project: str, metric: str, granularity: str, started_after_ns: int, started_before_ns: int
    ) -> Sequence[Row]:
        """Return one row a period of time, or one a model. Raises `Permanent` when there are too many periods."""
        rows = self._readers.query(
            *analytics_statement(project, metric, granularity, started_after_ns, started_before_ns)
        )
        if len(rows) > MOST_PERIODS:
            raise Permanent(
                f"between started_after and started_before lie more than {MOST_PERIODS} {granularity}s with traces, as many"
                " as an answer may have: ask for a shorter time or a coarser granularity"
            )
        return rows


def sessions_statement(project: str, filters: Any) -> tuple[str, dict[str, Any]]:
    """Return the SQL and the bound values of one page of the list of sessions."""
    sql, values = _matching("list_sessions.sql", project, filters)
    order = f"{_SORT_EXPRESSIONS[filters.sort_by]} {'DESC' if filters.descending else 'ASC'} NULLS LAST, session_id"
    sql = sql.replace("/*order*/ session_id", order)
    return sql, {**values, "limit": filters.limit, "offset": filters.offset}


def count_sessions_statement(project: str, filters: Any) -> tuple[str, dict[str, Any]]:
    """Return the SQL and the bound values that count the matches of a list of sessions."""
    return _matching("count_sessions.sql", project, filters)


def session_statement(project: str, session_id: str) -> tuple[str, dict[str, Any]]:
    """Return the SQL and the bound values that sum up one session."""
    sql = statement("list_sessions.sql").replace("/*where*/ 1", _ONE_SESSION)
    return sql, {"project": project, "session_id": session_id, "limit": 1, "offset": 0}


def analytics_statement(
    project: str, metric: str, granularity: str, started_after_ns: int, started_before_ns: int
) -> tuple[str, dict[str, Any]]:
    """Return the SQL and the bound values of one metric over time, or of the ranking of models."""
    sql = statement(_METRICS[metric]).replace("/*bucket*/ traces.start_time", _PERIODS[granularity])
    return sql, {
        "project": project,
        "started_after_ns": started_after_ns,
        "started_before_ns": started_before_ns,
        "limit": MOST_MODELS if metric == "models" else MOST_PERIODS + 1,
    }


def _matching(name: str, project: str, filters: Any) -> tuple[str, dict[str, Any]]:
    where, values = conditions(filters, _CONDITIONS)
    sql = statement(name).replace("/*where*/ 1", where).replace("/*having*/ 1", _HAS_ERROR[filters.has_error])
    return sql, {"project": project, **values}
