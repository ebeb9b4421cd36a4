"""Reading from the embedded ClickHouse: lists of traces, hostile texts, and handles that can do nothing but read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.errors import Permanent, Retryable
from collector.project import project_name
from collector.query.reader import TraceFilters
from exporters.clickhouse import client as client_module
from exporters.clickhouse.client import READ_LIMITS, Readers
from exporters.clickhouse.connection import statement
from tests.support.spans import DAY, HOUR, NOON, SECOND, batch, chat, span
from tests.support.store import Database

EVERYTHING = TraceFilters(
    limit=50,
    offset=0,
    session_id=None,
    status=None,
    user_id=None,
    tags=(),
    name=None,
    started_after_ns=None,
    started_before_ns=None,
    sort_by="started_at",
    descending=True,
)


def listed(database: Database, project: str, **changes: Any) -> tuple[list[int], int]:
    """The numbers of the traces on the page, and the number of matches."""
    rows, total = database.store.traces(project, TraceFilters(**{**vars(EVERYTHING), **changes}))
    return [int(row["trace_id"], 16) for row in rows], total


@pytest.fixture(scope="module")
def shop(database: Database) -> str:
    """A project of five traces.

    ======  ======  =========  =========  =====  ============  ==========  =======
    number  starts  takes      status     user   session       tags        name
    ======  ======  =========  =========  =====  ============  ==========  =======
    1       0 h     5 s        COMPLETED  ann    first         paid, beta  Answer
    2       1 h     1 s        ERROR      bob    first         paid        buy 100%
    3       2 h     9 s        COMPLETED  ann    second                    answer_2
    4       3 h     unknown    RUNNING    ann                  beta        Ärger
    5       25 h    2 s        COMPLETED                                   a
    ======  ======  =========  =========  =====  ============  ==========  =======
    """

    def values(user: str, session: str, *tags: str) -> dict[str, Any]:
        return {"user.id": user, "session.id": session, "tag.tags": list(tags)}

    spans = [
        span(1, trace=1, start=NOON, seconds=5, name="Answer", values=values("ann", "first", "paid", "beta")),
        span(1, trace=2, start=NOON + HOUR, name="buy 100%", error="x", values=values("bob", "first", "paid")),
        span(1, trace=3, start=NOON + 2 * HOUR, seconds=9, name="answer_2", values=values("ann", "second")),
        span(1, trace=4, parent=7, start=NOON + 3 * HOUR, name="Ärger", values=values("ann", "", "beta")),
        span(1, trace=5, start=NOON + 25 * HOUR, seconds=2, name="a"),
    ]
    database.exporter.write(batch(*spans, project="shop"), "shop")
    return "shop"


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, [5, 4, 3, 2, 1]),
        ({"session_id": "first"}, [2, 1]),
        ({"session_id": "firs"}, []),
        ({"user_id": "ann"}, [4, 3, 1]),
        ({"user_id": "ANN"}, []),
        ({"status": "COMPLETED"}, [5, 3, 1]),
        ({"status": "ERROR"}, [2]),
        ({"status": "RUNNING"}, [4]),
        ({"status": "PENDING"}, []),
        ({"tags": ("beta",)}, [4, 1]),
        ({"tags": ("beta", "paid")}, [4, 2, 1]),
        ({"tags": ("bet",)}, []),
        ({"name": "answer"}, [3, 1]),
        ({"name": "ärg"}, [4]),
        ({"name": "%"}, [2]),
        ({"name": "_"}, [3]),
        ({"name": "a%r"}, []),
        ({"name": "answer_"}, [3]),
        ({"started_after_ns": NOON + HOUR}, [5, 4, 3, 2]),
        ({"started_after_ns": NOON + HOUR + 1}, [5, 4, 3]),
        ({"started_before_ns": NOON + HOUR}, [1]),
        ({"started_before_ns": NOON + HOUR + 1}, [2, 1]),
        ({"started_after_ns": NOON, "started_before_ns": NOON + DAY}, [4, 3, 2, 1]),
        ({"user_id": "ann", "status": "COMPLETED", "tags": ("paid",), "name": "ANSWER", "session_id": "first"}, [1]),
    ],
)
def test_a_filter_shows_what_it_says(
    database: Database, shop: str, filters: dict[str, Any], expected: list[int]
) -> None:
    assert listed(database, shop, **filters) == (expected, len(expected))


@pytest.mark.parametrize(
    ("sort_by", "ascending", "descending"),
    [
        ("started_at", [1, 2, 3, 4, 5], [5, 4, 3, 2, 1]),
        ("ended_at", [1, 2, 3, 5, 4], [5, 3, 2, 1, 4]),
        ("latency", [2, 5, 1, 3, 4], [3, 1, 5, 2, 4]),
        ("name", [1, 5, 3, 2, 4], [4, 2, 3, 5, 1]),
        ("status", [1, 3, 5, 2, 4], [4, 2, 1, 3, 5]),
    ],
)
def test_an_order_is_kept_and_what_is_unknown_comes_last(
    database: Database, shop: str, sort_by: str, ascending: list[int], descending: list[int]
) -> None:
    """Of equals, the smaller trace id comes first."""
    assert listed(database, shop, sort_by=sort_by, descending=False)[0] == ascending
    assert listed(database, shop, sort_by=sort_by, descending=True)[0] == descending


def test_pages_follow_each_other_and_every_page_knows_the_total(database: Database, shop: str) -> None:
    pages = [listed(database, shop, limit=2, offset=offset) for offset in (0, 2, 4, 6)]
    assert pages == [([5, 4], 5), ([3, 2], 5), ([1], 5), ([], 5)]


def test_matches_are_counted_only_if_somebody_wants_to_know(database: Database, shop: str) -> None:
    page, _ = listed(database, shop, limit=2)
    assert listed(database, shop, limit=2, counted=False) == (page, 2)


def test_a_list_row_has_what_the_single_row_has(database: Database, shop: str) -> None:
    ((row,), _) = database.store.traces(shop, TraceFilters(**{**vars(EVERYTHING), "status": "ERROR"}))
    single, _ = database.trace(shop, 2)
    assert row == single


def test_a_list_shows_only_the_present_row_of_a_trace_whose_start_moved(database: Database, project: str) -> None:
    """The first row says that it began after midnight, the second before: in another partition of another month."""
    midnight = NOON + 30 * DAY + 12 * HOUR  # 2026-02-01T00:00:00Z
    child, root = span(2, parent=1, start=midnight + SECOND), span(1, start=midnight - SECOND)
    for number, one in enumerate((child, root)):
        database.exporter.write(batch(one, project=project, received_at=midnight + HOUR), f"{project}/{number}")
    assert listed(database, project) == ([1], 1)
    assert listed(database, project, started_after_ns=midnight) == ([], 0)
    assert listed(database, project, status="RUNNING") == ([], 0)
    assert listed(database, project, started_before_ns=midnight) == ([1], 1)


def test_what_is_not_there_is_none(database: Database, shop: str) -> None:
    assert database.store.trace(shop, f"{99:032x}") is None
    assert database.store.trace("no such project", f"{1:032x}") is None
    assert listed(database, "no such project") == ([], 0)


# --- hostile texts ----------------------------------------------------------------------------------------------------

HOSTILE = [
    "'",
    '"',
    "\\",
    "\\'",
    "' OR 1=1 --",
    "'); DROP TABLE traces; --",
    "{project:String}",
    "{x:String}",
    "%s %(a)s",
    "a\x00b",
    "\\x00",
    "\t\r\n",
    "\\t",
    "\\N",
    "NULL",
    "']",
    "','",
    "[]",
    "/*where*/ 1",
    "/*order*/ trace_id",
    "日本 😀",
]


@pytest.fixture(scope="module")
def hostile(database: Database) -> str:
    """A project with a trace for each hostile text, which is its name, its user, its session and its tag."""
    spans = []
    for number, text in enumerate(HOSTILE, start=1):
        values = {"user.id": text, "session.id": text, "tag.tags": [text]}
        spans.append(span(1, trace=number, start=NOON + number, name=text, values=values))
    database.exporter.write(batch(*spans, project="hostile"), "hostile' --{x:String}\\")
    return "hostile"


@pytest.mark.parametrize("number", range(1, len(HOSTILE) + 1), ids=lambda number: ascii(HOSTILE[number - 1]))
def test_a_hostile_text_finds_itself_and_nothing_else(database: Database, hostile: str, number: int) -> None:
    text = HOSTILE[number - 1]
    for changes in ({"user_id": text}, {"session_id": text}, {"tags": (text,)}):
        assert listed(database, hostile, **changes) == ([number], 1), changes
    containing = [n for n, other in enumerate(HOSTILE, start=1) if text.lower() in other.lower()]
    assert listed(database, hostile, name=text, descending=False) == (containing, len(containing))
    assert listed(database, hostile, status=text) == ([], 0)
    assert listed(database, text) == ([], 0)
    assert database.store.trace(hostile, text) is None
    assert database.store.trace(text, f"{1:032x}") is None
    row, (shown,) = database.trace(hostile, number)
    assert row["name"] == row["user_id"] == row["session_id"] == shown["name"] == text
    assert row["tags"] == shown["tags"] == [text]


def test_a_project_may_have_any_name_that_can_be_printed(database: Database) -> None:
    names = [text for text in HOSTILE if text and text == project_name(text)]
    assert len(names) > len(HOSTILE) // 2
    for number, text in enumerate(names):
        database.exporter.write(batch(chat(1, tokens=(number, 0)), project=text), f"project {number}")
    for number, text in enumerate(names):
        assert database.trace(text, 1)[0]["input_tokens"] == number


# --- handles that read only -------------------------------------------------------------------------------------------


@pytest.fixture
def readers(database: Database, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Readers]:
    """One read handle; its limits may be lowered by a marker's parameter."""
    limits = {**READ_LIMITS, **getattr(request, "param", {})}
    monkeypatch.setattr(client_module, "READ_LIMITS", limits)
    found = Readers(database.settings, count=1)
    yield found
    found.close()


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO traces (project) VALUES ('x')",
        "ALTER TABLE traces DELETE WHERE 1",
        "DELETE FROM spans WHERE 1",
        "DROP TABLE traces",
        "CREATE TABLE x (a Int8) ENGINE = Memory",
        "CREATE TEMPORARY TABLE x (a Int8)",
        "OPTIMIZE TABLE traces FINAL",
        "SYSTEM FLUSH LOGS",
        "SET readonly = 0",
        "SET max_execution_time = 1000",
        "SELECT 1 SETTINGS max_execution_time = 1000",
        "SELECT 1 SETTINGS readonly = 0",
        "SELECT * FROM file('/etc/hostname', 'LineAsString')",
        "SELECT * FROM url('http://127.0.0.1:9/', 'LineAsString')",
        "SELECT * FROM s3('http://127.0.0.1:9/bucket/a', 'CSV', 'a String')",
        "SELECT * FROM remote('127.0.0.1:9', 'system.one')",
        "SELECT * FROM executable('true', 'TSV', 'a String')",
        "SELECT * FROM sqlite('x', 'y')",
    ],
)
def test_a_read_handle_refuses_all_but_reading(
    database: Database, readers: Readers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sql: str
) -> None:
    monkeypatch.chdir(tmp_path)  # sqlite() makes its file before it is refused
    with pytest.raises(Permanent, match="Code: 164"):
        readers.query(sql, {})
    # The handle that replaces the one that failed is as limited.
    with pytest.raises(Permanent, match="Code: 164"):
        readers.query(sql, {})


def test_limits_stay_while_the_writer_writes_on(database: Database, project: str, readers: Readers) -> None:
    for number in range(3):
        database.exporter.write(batch(span(number + 1), project=project), f"{project}/{number}")
        with pytest.raises(Permanent, match="Code: 164"):
            readers.query("DROP TABLE spans", {})
        found = readers.query("SELECT span_count FROM traces FINAL WHERE project = {p:String}", {"p": project})
        assert found == [{"span_count": number + 1}]
    names = {name: str(READ_LIMITS[name]) for name in READ_LIMITS}
    settings = readers.query("SELECT name, value FROM system.settings WHERE name IN {n:Array(String)}", {"n": [*names]})
    assert {row["name"]: re.sub(r"auto\((.*)\)", r"\1", row["value"]) for row in settings} == names


def test_what_a_failed_query_had_put_out_is_not_a_part_of_the_next_answer(readers: Readers) -> None:
    """The embedded engine begins the next answer on the same client with it."""
    with pytest.raises(Permanent, match="throwIf"):
        readers.query("SELECT number, throwIf(number = 150000) AS a FROM numbers(200000)", {})
    assert readers.query("SELECT number, toUInt8(0) AS a FROM numbers(2)", {}) == [
        {"number": 0, "a": 0},
        {"number": 1, "a": 0},
    ]


ENDLESS = "SELECT max(sipHash64(number)) FROM numbers(9000000000)"


@pytest.mark.parametrize(
    ("readers", "sql", "outcome", "code"),
    [
        ({"max_execution_time": 1}, ENDLESS, Retryable, 159),
        ({"max_memory_usage": 10_000_000}, "SELECT groupArray(number) FROM numbers(10000000)", Retryable, 241),
        ({"max_rows_to_read": 1000}, "SELECT max(number) FROM numbers(100000)", Permanent, 158),
        ({"max_result_rows": 1000}, "SELECT number FROM numbers(100000)", Permanent, 396),
    ],
    indirect=["readers"],
)
def test_a_query_that_costs_too_much_ends_with_the_outcome_of_its_limit(
    readers: Readers, sql: str, outcome: type[Exception], code: int
) -> None:
    """Time and memory depend on what else runs: later it may be answered. Rows do not."""
    with pytest.raises(outcome, match=f"reading from ClickHouse failed: Code: {code}"):
        readers.query(sql, {})
    assert readers.query("SELECT 1 AS a", {}) == [{"a": 1}]


def test_the_store_answers_a_ping(database: Database, tmp_path: Path) -> None:
    database.store.ping()


def test_a_trace_that_is_written_while_it_is_read_is_shown_with_its_spans(
    database: Database, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The spans are asked for before they are there, and the row of the trace, at the same time, when it is."""
    database.exporter.write(batch(span(1), project=project), f"{project}/a")
    sql, query, answers = statement("spans_of_trace.sql"), Readers.query, [[]]

    def late(readers: Readers, asked: str, values: Any) -> Any:
        return answers.pop() if asked == sql and answers else query(readers, asked, values)

    monkeypatch.setattr(Readers, "query", late)
    found = database.store.trace(project, f"{1:032x}")
    assert found is not None
    assert len(found[1]) == 1
