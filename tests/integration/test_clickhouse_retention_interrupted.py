"""Expiries that end anywhere, and anything in any order: the books balance at any time."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.batch import concat
from collector.errors import Retryable
from exporters.clickhouse import ClickHouse, ClickHouseEditor, ClickHouseExporter
from exporters.clickhouse.client import Handle
from exporters.clickhouse.expiring import EXPIRED, NOTED
from exporters.clickhouse.writing import Writing
from tests.support.books import failing_writing
from tests.support.expiries import BooksWithExpiries, audited, expire, retention_of
from tests.support.spans import DAY, HOUR, NOON, SECOND, agent, batch, chat
from tests.support.store import Database

_numbers = itertools.count(1)


@pytest.fixture
def writing(database: Database) -> Iterator[Writing]:
    """What one process writes with."""
    found = Writing(Handle(database.connect))
    yield found
    found.handle.close()


def token() -> str:
    return f"retention-interrupted-{next(_numbers)}"


@pytest.mark.parametrize("next_is", ["batch", "deletion", "round"])
def test_an_expiry_that_ends_before_any_statement_balances_and_is_completed_by_whatever_comes_next(
    database: Database, project: str, next_is: str
) -> None:
    noted_at_least_once = 0
    for number in itertools.count(1):
        books = BooksWithExpiries(database, f"{project}-{number}")
        noon = NOON - (400 + 62 * next(_numbers)) * DAY
        kept, today = retention_of(books.project, spans="1d", traces="90d"), noon // DAY + 2
        before = batch(
            agent(1, start=noon),
            chat(2, parent=1, start=noon + DAY),
            chat(1, trace=2, start=noon),
            project=books.project,
        )
        books.remember(before)
        database.exporter.write(before, token())
        failing = failing_writing(database, number, Retryable("the machine stopped"))
        try:
            expire(failing, kept, today)
        except Retryable:
            failed = True
        else:
            failed = False
        failing.handle.close()
        assert audited(database, books.project) == []
        noted = database.value("SELECT count() FROM expiries WHERE project = {p:String}", p=books.project)
        restarted = Writing(Handle(database.connect))
        if noted:
            books.expire(today, 1, 90)
            noted_at_least_once += 1
        if next_is == "batch":
            late = batch(
                chat(3, parent=1, start=noon + HOUR), chat(1, trace=3, start=noon + DAY), project=books.project
            )
            books.remember(late)
            ClickHouseExporter(restarted).write(late, token())
        elif next_is == "deletion":
            ClickHouseEditor(restarted).delete_traces(books.project, [f"{2:032x}"])
            books.delete([f"{2:032x}"])
        else:
            expire(restarted, kept, today)
            if not noted:
                books.expire(today, 1, 90)
        books.check()
        assert audited(database, books.project) == []
        expire(restarted, kept, today + 100)  # nothing is left to be audited again
        restarted.handle.close()
        if not failed:
            break
    assert noted_at_least_once > 4


def test_rows_that_come_back_after_a_loss_of_power_are_deleted_again_and_not_entered_again(
    database: Database, project: str, writing: Writing
) -> None:
    books = BooksWithExpiries(database, project)
    noon = NOON - (400 + 62 * next(_numbers)) * DAY
    lost, token_of_lost = batch(agent(1, start=noon), project=project), token()
    books.remember(lost)
    exporter = ClickHouseExporter(writing)
    exporter.write(lost, token_of_lost)
    expire(writing, retention_of(project, spans="1d"), noon // DAY + 2)
    books.expire(noon // DAY + 2, 1)
    database.client.command(
        "INSERT INTO spans (project, trace_id, span_id, start_time)"
        " SELECT {p:String}, 't', 's', fromUnixTimestamp64Nano({n:Int64})",
        parameters={"p": project, "n": noon},
    )
    assert audited(database, project)
    restarted = Writing(Handle(database.connect))
    restarted.expiring.complete(EXPIRED)
    books.check()
    assert audited(database, project) == []
    assert restarted.expiring.unfinished(NOTED) == []
    restarted.handle.close()


def test_another_collector_knows_at_its_next_batch_what_has_expired(database: Database, project: str) -> None:
    books = BooksWithExpiries(database, project)
    noon = NOON - (400 + 62 * next(_numbers)) * DAY
    early, late = (batch(chat(number, start=noon), project=project) for number in (1, 2))
    books.remember(early)
    database.exporter.write(early, token())
    kept = database.settings.model_copy(update={"retention": retention_of(project, spans="1d")})
    with ClickHouse(kept, writer=f"{project}-other") as other:
        other.retention.expire()
        books.expire(noon // DAY + 2, 1)
        books.check()
        # Into the embedded engine nobody else writes.
        next_writer = other if kept.is_embedded else database.clickhouse
        books.remember(late)
        next_writer.exporter.write(late, token())
    books.check()


# --- anything in any order --------------------------------------------------------------------------------------------

_first_days = itertools.count(1)
_span = st.builds(
    lambda number, trace, day, minute: (number, trace, day, minute),
    st.integers(1, 4),
    st.integers(1, 4),
    st.integers(0, 5),
    st.sampled_from([0, 1]),
)
_write = st.tuples(
    st.just("write"), st.lists(st.tuples(_span, st.integers(0, 3)), min_size=1, max_size=5), st.booleans()
)
_expire = st.tuples(st.just("expire"), st.integers(1, 3), st.sampled_from([0, 1, 3]))
_delete = st.tuples(st.just("delete"), st.integers(1, 4))
_steps = st.lists(st.one_of(_write, _write, _expire, _delete), min_size=2, max_size=9)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_steps, st.integers(0, 19))
def test_whatever_is_written_again_expires_and_is_deleted_the_books_balance(
    database: Database, writing: Writing, steps: Any, removes: int
) -> None:
    books = BooksWithExpiries(database, f"any-expiry-{next(_numbers)}")
    # The last days of a month and the first of the next.
    noon, today = NOON - (300 + next(_first_days) * 365) % 9000 * DAY, 0
    exporter, editor = ClickHouseExporter(writing), ClickHouseEditor(writing)
    for number, (what, *values) in enumerate(steps):
        if what == "write":
            spans, twice = values
            arriving = concat(
                [
                    batch(
                        chat(one, trace=trace, parent=one - 1 or None, start=noon + day * DAY + minute * 60 * SECOND),
                        project=books.project,
                        received_at=noon + 6 * DAY + at * SECOND,
                    )
                    for (one, trace, day, minute), at in spans
                ]
            )
            name = token()
            books.remember(arriving)
            exporter.write(arriving, name)
            if twice:
                exporter.write(arriving, name, again=True)
        elif what == "delete":
            name = f"{values[0]:032x}"
            known = name in books.traces()
            assert editor.delete_traces(books.project, [name]) == known
            if known:
                books.delete([name])
        else:
            days, longer = values
            today = max(today, noon // DAY + 2) + number % 3
            expire(writing, retention_of(books.project, spans=f"{days}d", traces=f"{days + longer}d"), today)
            books.expire(today, days, days + longer)
            books.check()
        if number == removes:
            assert database.clickhouse.removal.remove()
    books.check()
    assert audited(database, books.project) == []
    expire(writing, retention_of(books.project, spans="1d"), noon // DAY + 100)  # nothing is left to be looked at again
