"""The SQL of sessions, users and analytics, as reviewed: see `test_sql_snapshots.py` for how the files are rewritten."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, get_args

import pytest

from collector.query.reader import Granularity, Metric, SessionFilters, SessionSortField
from exporters.clickhouse.connection import statement
from exporters.clickhouse.read_sessions import (
    analytics_statement,
    count_sessions_statement,
    session_statement,
    sessions_statement,
)
from exporters.clickhouse.span_rows import span_statement

SNAPSHOTS = Path(__file__).parents[2] / "snapshots"
REWRITE = bool(os.environ.get("SPANLEDGER_REWRITE_SNAPSHOTS"))

HOSTILE = "'); DROP TABLE traces; -- {project:String} \\"

EACH_FILTER: dict[str, Any] = {
    "user_id": "user-1",
    "has_error": True,
    "tags": ("paid", "beta"),
    "query": "session",
    "started_after_ns": 1_767_225_600_000_000_000,
    "started_before_ns": 1_767_312_000_000_000_000,
}

SESSIONS: dict[str, dict[str, Any]] = {
    "no_filter": {},
    **{f"filter_{name}": {name: value} for name, value in EACH_FILTER.items()},
    "filter_has_no_error": {"has_error": False},
    **{
        f"sort_{field}_{'descending' if descending else 'ascending'}": {"sort_by": field, "descending": descending}
        for field in get_args(SessionSortField)
        for descending in (True, False)
    },
    "every_filter": {**EACH_FILTER, "offset": 20, "limit": 20},
}

ANALYTICS = {
    f"{metric}_by_{granularity}": (metric, granularity)
    for metric in get_args(Metric)
    for granularity in get_args(Granularity)
}

Statement = tuple[str, dict[str, Any]]


def text(title: str, found: Statement) -> str:
    """A statement and its values, as they are kept."""
    sql, values = found
    bound = "".join(f"--   {name} = {value!r}\n" for name, value in sorted(values.items()))
    return f"-- {title}, with these values bound:\n{bound}{sql.strip()}\n"


def sessions(name: str) -> str:
    wanted = SessionFilters(**{"limit": 50, **SESSIONS[name]})
    parts = (("list", sessions_statement("default", wanted)), ("count", count_sessions_statement("default", wanted)))
    return "\n".join(text(*part) for part in parts)


GENERATED = {
    **{f"sessions_{name}.sql": sessions(name) for name in SESSIONS},
    "session_by_id.sql": text("one session", session_statement("default", "session-1")),
    **{
        f"analytics_{name}.sql": text(name, analytics_statement("default", *which, 0, 86_400 * 10**9))
        for name, which in ANALYTICS.items()
    },
}


@pytest.mark.parametrize("name", GENERATED)
def test_the_sql_of_sums_is_as_reviewed(name: str) -> None:
    file = SNAPSHOTS / name
    if REWRITE:
        assert "CI" not in os.environ, "snapshots are not rewritten in CI"
        file.write_text(GENERATED[name], encoding="utf-8")
    assert GENERATED[name] == file.read_text(encoding="utf-8"), "see the docstring of test_sql_snapshots.py"


def test_every_snapshot_belongs_to_a_case() -> None:
    kept = {file.name for pattern in ("session*.sql", "analytics_*.sql") for file in SNAPSHOTS.glob(pattern)}
    assert kept == set(GENERATED)


def test_texts_of_a_client_are_bound_and_never_a_part_of_the_sql() -> None:
    hostile = SessionFilters(limit=1, user_id=HOSTILE, tags=(HOSTILE,), query=HOSTILE)
    harmless = SessionFilters(limit=1, user_id="a", tags=("a",), query="a")
    for build in (sessions_statement, count_sessions_statement):
        sql, values = build(HOSTILE, hostile)
        assert sql == build("default", harmless)[0]
        assert (values["user_id"], values["tags"], values["query"]) == (HOSTILE, [HOSTILE], HOSTILE)
    assert session_statement(HOSTILE, HOSTILE)[0] == session_statement("default", "a")[0]


@pytest.mark.parametrize(
    "build",
    [
        lambda: sessions_statement("default", SessionFilters(limit=1, sort_by=HOSTILE)),  # type: ignore[arg-type]
        lambda: analytics_statement("default", HOSTILE, "day", 0, 1),
        lambda: analytics_statement("default", "volume", HOSTILE, 0, 1),
    ],
)
def test_a_word_that_is_not_in_the_tables_is_refused(build: Any) -> None:
    with pytest.raises(KeyError):
        build()


PAYLOAD = re.compile(
    r"\b(input|output|system_instructions|tool_definitions|tool_calls|metadata|model_parameters|events|links|resource"
    r"|evaluations|error|attributes_\w+)\b"
)
"""Columns that hold what applications wrote, which are read of known spans only."""


def code(sql: str) -> str:
    return re.sub(r"--.*", "", sql)


@pytest.mark.parametrize("name", [*GENERATED, *(file.name for file in SNAPSHOTS.glob("traces_*.sql"))])
def test_lists_and_sums_read_no_payload(name: str) -> None:
    sql = GENERATED.get(name) or (SNAPSHOTS / name).read_text(encoding="utf-8")
    assert PAYLOAD.findall(code(sql)) == []


@pytest.mark.parametrize("name", ["list_users.sql", "count_users.sql", "analytics_models.sql"])
def test_users_and_models_are_found_without_payload(name: str) -> None:
    assert PAYLOAD.findall(code(statement(name))) == []


def test_the_payload_of_a_session_is_read_of_its_traces_only() -> None:
    _, _, where = code(span_statement("spans_of_page.sql")).partition("FROM spans")
    assert PAYLOAD.findall(where) == []
    assert "trace_id IN {trace_ids:Array(String)}" in where
