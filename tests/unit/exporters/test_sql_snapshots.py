"""The SQL of trace lists, as reviewed: one file in tests/snapshots for each filter, each order, and some of them together.

After a change that is meant, rewrite the files and review the difference:

    SPANLEDGER_REWRITE_SNAPSHOTS=1 python -m pytest tests/unit/exporters/test_sql_snapshots.py

That never succeeds where the variable CI is set.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, get_args

import pytest

from collector.query.reader import SortField, TraceFilters
from exporters.clickhouse.read_traces import candidates_statement, count_statement, list_statement, rows_statement

SNAPSHOTS = Path(__file__).parents[2] / "snapshots"
REWRITE = bool(os.environ.get("SPANLEDGER_REWRITE_SNAPSHOTS"))

NO_FILTERS: dict[str, Any] = {
    "limit": 50,
    "offset": 0,
    "session_id": None,
    "status": None,
    "user_id": None,
    "tags": (),
    "name": None,
    "started_after_ns": None,
    "started_before_ns": None,
    "sort_by": "started_at",
    "descending": True,
}

EACH_FILTER: dict[str, Any] = {
    "session_id": "session-1",
    "status": "COMPLETED",
    "user_id": "user-1",
    "tags": ("paid", "beta"),
    "name": "answer",
    "started_after_ns": 1_767_225_600_000_000_000,
    "started_before_ns": 1_767_312_000_000_000_000,
}

HOSTILE = "'); DROP TABLE traces; -- {project:String} \\"

CASES: dict[str, dict[str, Any]] = {
    "no_filter": {},
    **{f"filter_{name}": {name: value} for name, value in EACH_FILTER.items()},
    **{
        f"sort_{field}_{'descending' if descending else 'ascending'}": {"sort_by": field, "descending": descending}
        for field in get_args(SortField)
        for descending in (True, False)
    },
    "every_filter": EACH_FILTER,
    "user_within_a_time": {name: EACH_FILTER[name] for name in ("user_id", "started_after_ns", "started_before_ns")},
    "second_page_by_latency_of_failed": {"status": "ERROR", "sort_by": "latency", "limit": 20, "offset": 20},
    "hostile_text_everywhere": {
        "session_id": HOSTILE,
        "status": HOSTILE,
        "user_id": HOSTILE,
        "tags": (HOSTILE,),
        "name": HOSTILE,
    },
}


def filters(**changes: Any) -> TraceFilters:
    """A first page of everything, with changes."""
    return TraceFilters(**(NO_FILTERS | changes))


def generated(changes: dict[str, Any]) -> str:
    """The statements and their values, as they are kept."""
    wanted = filters(**changes)
    parts = []
    for title, (sql, values) in (
        ("the first rows", candidates_statement("default", wanted, 240)),
        ("or all ids, far from the beginning", list_statement("default", wanted)),
        ("rows of the traces that were found", rows_statement("default", wanted, ["0af7651916cd43dd8448eb211c80319c"])),
        ("count", count_statement("default", wanted)),
    ):
        bound = "".join(f"--   {name} = {value!r}\n" for name, value in sorted(values.items()))
        parts.append(f"-- {title}, with these values bound:\n{bound}{sql.strip()}\n")
    return "\n".join(parts)


@pytest.mark.parametrize("name", CASES)
def test_the_sql_of_a_trace_list_is_as_reviewed(name: str) -> None:
    file = SNAPSHOTS / f"traces_{name}.sql"
    found = generated(CASES[name])
    if REWRITE:
        assert "CI" not in os.environ, "snapshots are not rewritten in CI"
        file.write_text(found, encoding="utf-8")
    assert found == file.read_text(encoding="utf-8"), f"see the docstring of {Path(__file__).name}"


def test_every_snapshot_belongs_to_a_case() -> None:
    assert {file.name for file in SNAPSHOTS.glob("traces_*.sql")} == {f"traces_{name}.sql" for name in CASES}


def test_texts_of_a_client_are_bound_and_never_a_part_of_the_sql() -> None:
    def candidates(project: str, wanted: TraceFilters) -> tuple[str, dict[str, Any]]:
        return candidates_statement(project, wanted, 1)

    def rows(project: str, wanted: TraceFilters) -> tuple[str, dict[str, Any]]:
        return rows_statement(project, wanted, [])

    for build in (candidates, list_statement, rows, count_statement):
        sql, values = build(HOSTILE, filters(**CASES["hostile_text_everywhere"]))
        harmless, _ = build("default", filters(session_id="a", status="a", user_id="a", tags=("a",), name="a"))
        assert sql == harmless
        assert {values[name] for name in ("project", "session_id", "status", "user_id", "name")} == {HOSTILE}
        assert values["tags"] == [HOSTILE]


def test_an_order_that_is_not_in_the_table_is_refused() -> None:
    with pytest.raises(KeyError):
        list_statement("default", filters(sort_by="name; DROP TABLE traces"))
