"""Pages of traces while rows that were replaced are still there: as one statement with FINAL would list them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from clickhouse_connect.driver.client import Client

from collector.query.reader import SortField, TraceFilters
from exporters.clickhouse import read_traces
from exporters.clickhouse.read_traces import conditions, count_statement, list_statement
from tests.support.spans import HOUR, NOON, SECOND, batch, span
from tests.support.store import Database

MANY = 300

COLUMNS = "project, trace_id, version, status, name, start_time, end_time, latency_ns, user_id, span_count"


def replace_rows(client: Client, project: str, generator: random.Random) -> None:
    """Write traces up to four times each, never the same twice, in some twenty parts that nothing merges."""
    rows = []
    for number in range(MANY):
        for version in range(1, generator.randint(1, 4) + 1):
            start = NOON // SECOND + generator.randint(0, 50)
            ended = generator.random() < 0.8
            end, latency = (f"fromUnixTimestamp64Nano({(start + 9) * SECOND})", "9") if ended else ("NULL", "NULL")
            latency = str(generator.randint(0, 20)) if ended else latency
            status = generator.choice(["COMPLETED", "ERROR", "RUNNING"])
            name, user = generator.choice("ab"), generator.choice(["ann", "bob", ""])
            values = f"'{project}', '{number:032x}', {version}, '{status}', '{name}', fromUnixTimestamp64Nano({start * SECOND})"
            rows.append(f"({values}, {end}, {latency}, '{user}', 1)")
    generator.shuffle(rows)
    size = len(rows) // 20 + 1
    for first in range(0, len(rows), size):
        client.command(f"INSERT INTO traces ({COLUMNS}) VALUES {', '.join(rows[first : first + size])}")


@pytest.fixture(scope="module")
def replaced(database: Database) -> Iterator[str]:
    database.connection.change("SYSTEM STOP MERGES traces")
    replace_rows(database.connection, "replaced", random.Random(7))
    total = database.value("SELECT count() FROM traces WHERE project = 'replaced'")
    assert total > MANY, "rows that were replaced are there"
    yield "replaced"
    database.connection.change("SYSTEM START MERGES traces")


def wanted(**changes: Any) -> TraceFilters:
    off = dict.fromkeys(("session_id", "status", "user_id", "name", "started_after_ns", "started_before_ns"))
    plain: dict[str, Any] = {"limit": 50, "offset": 0, "tags": (), "sort_by": "started_at", "descending": True, **off}
    return TraceFilters(**{**plain, **changes})


def expected(database: Database, project: str, filters: TraceFilters) -> tuple[list[str], int]:
    """The page and the number of matches, by one statement with FINAL each."""
    where, values = conditions(filters)
    matches = database.rows(f"SELECT trace_id FROM traces FINAL WHERE {where}", project=project, **values)
    sql, values = list_statement(project, filters)
    return [row["trace_id"] for row in database.rows(sql, **values)], len(matches)


FILTERS: list[dict[str, Any]] = [
    {},
    {"status": "RUNNING"},
    {"user_id": "ann", "name": "B"},
    {"started_after_ns": NOON + 40 * SECOND},
    {"status": "ERROR", "started_before_ns": NOON + 3 * SECOND},
    {"status": "PENDING"},
]


@pytest.mark.parametrize("filters", FILTERS, ids=str)
@pytest.mark.parametrize("sort_by", get_args(SortField))
def test_every_page_is_that_of_the_rows_that_stand(
    database: Database, replaced: str, sort_by: SortField, filters: dict[str, Any]
) -> None:
    for descending in (True, False):
        for limit, offset in ((50, 0), (7, 0), (20, 30), (200, 150), (10, 5000)):
            asked = wanted(sort_by=sort_by, descending=descending, limit=limit, offset=offset, **filters)
            rows, total = database.store.traces(replaced, asked)
            assert ([row["trace_id"] for row in rows], total) == expected(database, replaced, asked)


def test_a_page_near_the_beginning_needs_no_final(
    database: Database, replaced: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_traces, "list_statement", None)
    rows, _ = database.store.traces(replaced, wanted(limit=5))
    assert [row["trace_id"] for row in rows] == expected(database, replaced, wanted(limit=5))[0]


def test_too_many_replaced_rows_among_the_first_ones_change_nothing(
    database: Database, replaced: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_traces, "ROWS_PER_TRACE", 1)
    monkeypatch.setattr(read_traces, "SPARE", 0)
    for filters in FILTERS:
        rows, total = database.store.traces(replaced, wanted(**filters))
        assert ([row["trace_id"] for row in rows], total) == expected(database, replaced, wanted(**filters))


def test_a_trace_that_is_written_between_the_two_reads_is_where_its_new_row_belongs(
    database: Database, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def number(row: Any) -> int:
        return int(row["trace_id"], 16)

    spans = [span(2, trace=one, parent=1, start=NOON + one * SECOND) for one in range(1, 6)]
    database.exporter.write(batch(*spans, project=project, received_at=NOON + HOUR), project)
    statement = read_traces.rows_statement

    def write_and_go_on(*arguments: Any) -> Any:
        monkeypatch.setattr(read_traces, "rows_statement", statement)
        root = span(1, trace=5, start=NOON + 2 * SECOND + 1)
        database.exporter.write(batch(root, project=project, received_at=NOON + HOUR), f"{project}/root")
        return statement(*arguments)

    monkeypatch.setattr(read_traces, "rows_statement", write_and_go_on)
    rows, total = database.store.traces(project, wanted())
    assert ([number(row) for row in rows], total) == ([4, 3, 5, 2, 1], 5)
    assert rows[2]["status"] == "COMPLETED"


def test_all_traces_are_counted_once_however_often_they_were_written(database: Database, replaced: str) -> None:
    assert database.rows(*[count_statement(replaced, wanted())[0]], **count_statement(replaced, wanted())[1]) == [
        {"matches": MANY}
    ]
