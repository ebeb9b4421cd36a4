"""Retention: what is over expires, whole partitions are dropped, rows of traces may outlive their spans, the books balance."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from exporters.clickhouse import ClickHouseEditor, ClickHouseExporter
from exporters.clickhouse.client import Handle
from exporters.clickhouse.portions import EVER, portions
from exporters.clickhouse.writing import Writing
from tests.support.deletions import held
from tests.support.expiries import BooksWithExpiries, audited, expire, retention_of
from tests.support.otlp_signals import DETAILS, EVALUATION, log_record
from tests.support.spans import DAY, NOON, SECOND, agent, batch, chat, log_batch, span_id, trace_id
from tests.support.store import Database

_numbers = itertools.count(1)

TODAY = NOON // DAY + 1
"""The day after `NOON`."""


@pytest.fixture
def writing(database: Database) -> Iterator[Writing]:
    """What one process writes with."""
    found = Writing(Handle(database.connect))
    yield found
    found.handle.close()


@pytest.fixture
def exporter(writing: Writing) -> ClickHouseExporter:
    return ClickHouseExporter(writing)


@pytest.fixture
def books(database: Database, project: str) -> BooksWithExpiries:
    return BooksWithExpiries(database, project)


@pytest.fixture
def noon() -> int:
    """Noon of a day in a month that no other test uses."""
    return NOON - 62 * next(_numbers) * DAY


def token() -> str:
    return f"retention-{next(_numbers)}"


def write(exporter: ClickHouseExporter, books: BooksWithExpiries, *spans: Any, received_at: int | None = None) -> None:
    """Write a batch, and expect it."""
    arriving = batch(*spans, project=books.project, received_at=received_at)
    books.remember(arriving)
    exporter.write(arriving, token())


def partitions(database: Database, table: str) -> set[str]:
    """The partitions of a table that have any rows, visible or not."""
    found = database.connection.query_parts(
        "SELECT DISTINCT partition_id AS id FROM system.parts WHERE table = {table:String} AND active AND rows > 0"
        " AND database = currentDatabase() AND NOT startsWith(partition_id, 'patch-')",
        {"table": table},
    )
    return {str(one) for one in found["id"].to_pylist()}


def day_id(time: int) -> str:
    """The partition of a day."""
    return datetime.fromtimestamp(time // SECOND, UTC).strftime("%Y%m%d")


def records(project: str, trace: int, at: int) -> Any:
    """A log record, content and an evaluation of a trace."""
    ids = {"trace_id": trace_id(trace), "span_id": span_id(1), "at": at}
    content = {"gen_ai.output.messages": '[{"role": "assistant", "parts": [{"content": "said"}]}]'}
    score = {"gen_ai.evaluation.name": "relevance", "gen_ai.evaluation.score.value": 0.5}
    return log_batch(
        project,
        log_record(body="said", **ids),
        log_record(event=DETAILS, attributes=content, **ids),
        log_record(event=EVALUATION, attributes=score, **ids),
        received_at=at + SECOND,
    )


BESIDE = (
    "INSERT INTO feedback (project, trace_id, feedback_id) VALUES ({p:String}, {t:String}, 'f')",
    "INSERT INTO approvals (project, trace_id, span_id) VALUES ({p:String}, {t:String}, 's')",
    "INSERT INTO trace_tags (project, trace_id, added) VALUES ({p:String}, {t:String}, ['good'])",
)


def review(database: Database, project: str, trace: int) -> None:
    """Put something beside the row of a trace."""
    for sql in BESIDE:
        database.client.command(sql, parameters={"p": project, "t": f"{trace:032x}"})


def in_tables(database: Database, project: str, trace: int) -> set[str]:
    """The tables that hold anything of a trace."""
    return {name.removesuffix("_local") for name in held(database, project, trace)}


# --- what expires -----------------------------------------------------------------------------------------------------


def test_a_day_of_spans_in_which_all_is_over_is_dropped_whole_and_entered(
    database: Database, writing: Writing, exporter: ClickHouseExporter, books: BooksWithExpiries, noon: int
) -> None:
    write(exporter, books, agent(1, start=noon), chat(2, parent=1, start=noon + SECOND))
    write(exporter, books, chat(2, start=noon + SECOND), chat(1, trace=2, start=noon + DAY), received_at=noon + 2 * DAY)
    assert day_id(noon) in partitions(database, "spans")
    today = noon // DAY + 8
    kept = retention_of(books.project, spans="7d")
    assert expire(writing, kept, today - 1) == 0, "the day is not over for seven days yet"
    books.check()
    expire(writing, kept, today)
    books.expire(today, 7)
    books.check()
    assert not {day_id(noon)} & partitions(database, "spans")
    assert day_id(noon + DAY) in partitions(database, "spans")
    assert database.store.trace(books.project, f"{1:032x}") is None
    assert database.store.trace(books.project, f"{2:032x}") is not None


def test_only_the_projects_whose_time_is_over_expire_and_their_rows_leave_the_files(
    database: Database, writing: Writing, exporter: ClickHouseExporter, books: BooksWithExpiries, noon: int
) -> None:
    other = BooksWithExpiries(database, f"{books.project}-other")
    for each in (books, other):
        write(exporter, each, agent(1, start=noon), chat(2, parent=1, start=noon))
        exporter.write(records(each.project, 1, noon), token())
        review(database, each.project, 1)
    whole = held(database, other.project, 1)
    assert {"spans", "traces", "logs", "span_content", "evaluations", "feedback"} < whole.keys()
    expire(writing, retention_of(books.project, spans="1d", logs="1d"), noon // DAY + 2)
    books.expire(noon // DAY + 2, 1)
    for each in (books, other):
        each.check()
    assert held(database, books.project, 1) == {}
    assert held(database, other.project, 1) == whole
    assert database.clickhouse.removal.remove()
    assert held(database, books.project, 1, also_on_disk=True) == {}
    assert held(database, other.project, 1) == whole
    steps = database.rows("SELECT DISTINCT step FROM expiries FINAL WHERE project = {p:String}", p=books.project)
    assert steps == [{"step": 2}]


def test_months_of_traces_content_and_metrics_are_dropped_when_all_in_them_is_over(
    database: Database, writing: Writing, exporter: ClickHouseExporter, books: BooksWithExpiries, noon: int
) -> None:
    write(exporter, books, agent(1, start=noon), chat(2, parent=1, start=noon))
    exporter.write(records(books.project, 1, noon), token())
    month = day_id(noon)[:6]
    tables = {"traces": month, "span_content": month, "evaluations": month, "logs": day_id(noon)}
    assert all(partition in partitions(database, table) for table, partition in tables.items())
    expire(writing, retention_of(books.project, spans="1d", logs="1d"), noon // DAY + 2)
    assert not any(partition in partitions(database, table) for table, partition in tables.items())
    noted = database.rows("SELECT table, rows FROM expiries FINAL WHERE project = {p:String}", p=books.project)
    assert {row["table"]: row["rows"] for row in noted} == {
        "spans": 2, "traces": 1, "logs": 3, "span_content": 1, "evaluations": 1
    }  # fmt: skip


def test_logs_expire_by_themselves(
    database: Database, writing: Writing, exporter: ClickHouseExporter, books: BooksWithExpiries, noon: int
) -> None:
    write(exporter, books, agent(1, start=noon))
    exporter.write(records(books.project, 1, noon), token())
    expire(writing, retention_of(books.project, logs="1d"), noon // DAY + 2)
    found = held(database, books.project, 1)
    assert "logs" not in found
    assert found.keys() >= {"spans", "traces", "span_content", "evaluations"}
    books.check()


# --- rows of traces that outlive their spans --------------------------------------------------------------------------


def test_a_trace_may_outlive_its_spans_and_is_read_as_its_row_alone(
    database: Database, writing: Writing, exporter: ClickHouseExporter, books: BooksWithExpiries, noon: int
) -> None:
    write(exporter, books, agent(1, start=noon), chat(2, parent=1, start=noon))
    review(database, books.project, 1)
    before, _ = database.trace(books.project, 1)
    kept, today = retention_of(books.project, spans="1d", traces="90d"), noon // DAY + 2
    expire(writing, kept, today)
    books.expire(today, 1, 90)
    books.check()
    row, spans = database.trace(books.project, 1)
    assert (row, spans) == (before, [])
    assert in_tables(database, books.project, 1) == {"traces", "feedback", "approvals", "trace_tags"}
    expire(writing, kept, noon // DAY + 91)
    books.expire(noon // DAY + 91, 1, 90)
    books.check()
    assert held(database, books.project, 1) == {}


def test_a_trace_of_several_days_goes_with_its_last_span(
    database: Database, writing: Writing, exporter: ClickHouseExporter, books: BooksWithExpiries, noon: int
) -> None:
    write(exporter, books, agent(1, start=noon), chat(2, parent=1, start=noon + DAY))
    kept = retention_of(books.project, spans="1d")
    for today in (noon // DAY + 2, noon // DAY + 3):
        expire(writing, kept, today)
        books.expire(today, 1)
        books.check()
    assert held(database, books.project, 1) == {}


def test_no_older_row_of_a_trace_comes_to_light_in_another_month(
    database: Database, writing: Writing, exporter: ClickHouseExporter, books: BooksWithExpiries, noon: int
) -> None:
    write(exporter, books, chat(2, parent=1, start=noon + 40 * DAY))
    write(exporter, books, agent(1, start=noon), received_at=noon + 41 * DAY)
    today = noon // DAY + 43
    expire(writing, retention_of(books.project, spans="1d"), today)
    books.expire(today, 1)
    books.check()
    assert held(database, books.project, 1) == {}
    for table in ("traces", "spans"):
        database.connection.change(f"OPTIMIZE TABLE {table} FINAL")
    assert held(database, books.project, 1) == {}


# --- what arrives late ------------------------------------------------------------------------------------------------


def test_what_arrives_for_a_day_that_has_expired_expires_at_once(
    writing: Writing, exporter: ClickHouseExporter, books: BooksWithExpiries, noon: int
) -> None:
    write(exporter, books, chat(1, start=noon))
    today = noon // DAY + 2
    expire(writing, retention_of(books.project, spans="1d"), today)
    books.expire(today, 1)
    late = chat(1, trace=2, start=noon + SECOND), chat(2, trace=2, start=noon + DAY), chat(1, start=noon)
    name, arriving = token(), batch(*late, project=books.project)
    books.remember(arriving)
    exporter.write(arriving, name)
    books.check()
    exporter.write(arriving, name, again=True)
    books.check()
    assert books.traces() == {f"{2:032x}"}


def test_what_arrives_for_a_trace_of_which_spans_have_expired_expires_at_once_and_its_totals_stay(
    database: Database, writing: Writing, exporter: ClickHouseExporter, books: BooksWithExpiries, noon: int
) -> None:
    write(exporter, books, agent(1, start=noon), chat(2, parent=1, start=noon + DAY))
    before, _ = database.trace(books.project, 1)
    today = noon // DAY + 2
    expire(writing, retention_of(books.project, spans="1d"), today)
    books.expire(today, 1)
    write(exporter, books, chat(3, parent=1, start=noon + 2 * DAY), chat(1, trace=2, start=noon + 2 * DAY))
    books.check()
    row, spans = database.trace(books.project, 1)
    assert row == before
    assert [one["span_id"] for one in spans] == [f"{2:016x}"]


def test_a_late_span_that_tells_of_a_deleted_user_deletes_a_trace_whose_spans_have_expired(
    database: Database, writing: Writing, exporter: ClickHouseExporter, books: BooksWithExpiries, noon: int
) -> None:
    write(exporter, books, agent(1, start=noon))
    expire(writing, retention_of(books.project, spans="1d", traces="90d"), noon // DAY + 2)
    assert ClickHouseEditor(writing).delete_user(books.project, "u") == 0
    exporter.write(batch(chat(2, start=noon, values={"user.id": "u"}), project=books.project), token())
    assert held(database, books.project, 1) == {}


@pytest.mark.parametrize("what", ["session", "user", "trace"])
def test_a_trace_whose_spans_have_expired_can_be_deleted(
    database: Database, writing: Writing, exporter: ClickHouseExporter, books: BooksWithExpiries, noon: int, what: str
) -> None:
    named = {"values": {"session.id": "s", "user.id": "u"}}
    write(exporter, books, agent(1, start=noon, **named), chat(1, trace=2, start=noon))
    today = noon // DAY + 2
    expire(writing, retention_of(books.project, spans="1d", traces="90d"), today)
    books.expire(today, 1, 90)
    editor = ClickHouseEditor(writing)
    deleted: dict[str, Callable[[], int]] = {
        "session": lambda: editor.delete_session(books.project, "s"),
        "user": lambda: editor.delete_user(books.project, "u"),
        "trace": lambda: editor.delete_traces(books.project, [f"{1:032x}"]),
    }
    assert deleted[what]() == 1
    books.delete([f"{1:032x}"])
    books.check()
    assert held(database, books.project, 1) == {}
    assert in_tables(database, books.project, 2) == {"traces"}


def test_spans_that_were_deleted_are_not_counted_again(
    writing: Writing, exporter: ClickHouseExporter, books: BooksWithExpiries, noon: int
) -> None:
    write(exporter, books, chat(1, start=noon), chat(1, trace=2, start=noon))
    assert ClickHouseEditor(writing).delete_traces(books.project, [f"{1:032x}"]) == 1
    books.delete([f"{1:032x}"])
    today = noon // DAY + 2
    expire(writing, retention_of(books.project, spans="1d"), today)
    books.expire(today, 1)
    books.check()
    assert expire(writing, retention_of(books.project, spans="1d"), today) == 0
    books.check()


# --- the audit and repricing ------------------------------------------------------------------------------------------


def test_the_audit_and_repricing_leave_out_traces_of_which_spans_have_expired(
    database: Database, writing: Writing, exporter: ClickHouseExporter, books: BooksWithExpiries, noon: int
) -> None:
    write(exporter, books, agent(1, start=noon), chat(2, parent=1, start=noon + DAY), chat(1, trace=2, start=noon))
    write(exporter, books, chat(1, trace=3, start=noon + DAY))
    assert audited(database, books.project) == []
    today = noon // DAY + 2
    expire(writing, retention_of(books.project, spans="1d", traces="90d"), today)
    books.expire(today, 1, 90)
    books.check()
    assert audited(database, books.project) == []
    plan = [portion for portion in portions(database.connection, EVER) if portion.project == books.project]
    assert sum(portion.spans for portion in plan) == 1, "of the third trace alone"
