"""The books of the embedded ClickHouse: who counts, and the ledger, whatever arrives, in any order, again, or half."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.batch import concat
from collector.errors import Permanent, Retryable
from exporters.clickhouse import ClickHouseExporter
from exporters.clickhouse.client import Handle
from exporters.clickhouse.connection import statement
from exporters.clickhouse.writing import Writing
from tests.support.books import Books, failing_writing
from tests.support.spans import DAY, HOUR, NOON, SECOND, agent, batch, chat, operation, span
from tests.support.store import Database

MINUTE = 60 * SECOND


_numbers = itertools.count(1)


@pytest.fixture
def books(database: Database, project: str) -> Books:
    return Books(database, project)


def parts_of_changes(database: Database) -> set[str]:
    """Names of the parts that hold changed columns of spans."""
    sql = "SELECT name FROM system.parts WHERE table = 'spans' AND startsWith(name, 'patch-')"
    return {row["name"] for row in database.rows(sql)}


# --- who counts -------------------------------------------------------------------------------------------------------

FAMILY = (agent(1, tokens=(30, 3)), chat(2, parent=1, tokens=(10, 1)), chat(3, parent=1, tokens=(20, 2)))


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_who_counts_is_right_after_every_batch_in_any_order(
    database: Database, project: str, books: Books, order: tuple[int, ...]
) -> None:
    for number in order:
        books.write(database.exporter, batch(FAMILY[number], project=project), f"{project}/{number}")
        books.check()


def test_a_wrapper_that_arrives_first_stops_counting_when_its_call_arrives(
    database: Database, project: str, books: Books
) -> None:
    counts = "SELECT counts FROM spans FINAL WHERE project = {p:String} AND kind = 'AGENT'"
    books.write(database.exporter, batch(FAMILY[0], project=project), f"{project}/a")
    assert database.value(counts, p=project) is True
    books.write(database.exporter, batch(FAMILY[1], project=project), f"{project}/b")
    assert database.value(counts, p=project) is False
    books.check()


def test_parents_and_children_that_arrive_together_or_children_first_change_no_stored_row(
    database: Database, project: str, books: Books
) -> None:
    before = parts_of_changes(database)
    books.write(database.exporter, batch(*FAMILY, project=project), f"{project}/together")
    for number, one in enumerate(reversed(FAMILY)):
        one_by_one = type(one)()
        one_by_one.CopyFrom(one)
        one_by_one.trace_id = b"\x07" * 16
        books.write(database.exporter, batch(one_by_one, project=project), f"{project}/{number}")
    books.check()
    assert parts_of_changes(database) <= before


def test_two_reports_of_one_call_in_two_batches_count_once(database: Database, project: str, books: Books) -> None:
    late, early = (
        chat(number, start=NOON + number, values={"gen_ai.response.id": "resp-1"}, tokens=(5, 5)) for number in (2, 1)
    )
    for one in (late, early):
        books.write(database.exporter, batch(one, project=project), f"{project}/{one.span_id.hex()}")
        books.check()


def test_a_merge_keeps_what_was_decided(database: Database, project: str, books: Books) -> None:
    for number, one in enumerate(FAMILY):
        books.write(database.exporter, batch(one, project=project), f"{project}/{number}")
    books.write(database.exporter, batch(FAMILY[0], project=project), f"{project}/again")
    database.connection.change("OPTIMIZE TABLE spans FINAL")
    books.check()
    books.write(database.exporter, batch(span(4, parent=1), project=project), f"{project}/more")
    books.check()


# --- a span that moves ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("moved", [MINUTE, -MINUTE, HOUR, DAY, -DAY])
@pytest.mark.parametrize("overtaken", [False, True], ids=["in order", "overtaken"])
def test_a_span_that_is_sent_again_with_another_start_is_one_row_in_sql(
    database: Database, project: str, books: Books, moved: int, overtaken: bool
) -> None:
    first, second = chat(2, start=NOON), chat(2, start=NOON + moved, tokens=(7, 7))
    arrivals = [
        batch(first, project=project, received_at=NOON + 2 * DAY),
        batch(second, project=project, received_at=NOON + 3 * DAY),
    ]
    for number, arriving in enumerate(reversed(arrivals) if overtaken else arrivals):
        books.write(database.exporter, arriving, f"{project}/{number}")
        books.check()
    database.connection.change("OPTIMIZE TABLE spans FINAL")
    books.check()


def test_a_span_that_moves_away_and_back_is_one_row(database: Database, project: str, books: Books) -> None:
    for number, start in enumerate((NOON, NOON + HOUR, NOON, NOON + HOUR)):
        one = batch(chat(2, start=start, tokens=(number, 1)), project=project, received_at=NOON + DAY + number * SECOND)
        books.write(database.exporter, one, f"{project}/{number}")
        books.check()


def test_of_copies_received_in_the_same_millisecond_the_one_written_last_stands(
    database: Database, project: str, books: Books
) -> None:
    for number in range(3):
        arriving = batch(chat(2, tokens=(number, 1)), project=project, received_at=NOON + DAY)
        books.write(database.exporter, arriving, f"{project}/{number}")
        books.check()
    assert database.value("SELECT input_tokens FROM spans FINAL WHERE project = {p:String}", p=project) == 2


# --- the ledger -------------------------------------------------------------------------------------------------------


def test_accepted_spans_and_duplicates_are_entered_on_the_day_of_their_start(
    database: Database, project: str, books: Books
) -> None:
    books.write(
        database.exporter,
        batch(chat(1), chat(2, start=NOON + DAY), chat(2, start=NOON + DAY), project=project),
        f"{project}/a",
    )
    books.write(database.exporter, batch(chat(1), project=project), f"{project}/b")
    today = NOON // DAY
    assert books.ledger() == {today: (2, 1), today + 1: (2, 1)}
    books.check()


def test_a_batch_that_is_written_again_is_entered_once(database: Database, project: str, books: Books) -> None:
    arriving = batch(*FAMILY, project=project)
    books.write(database.exporter, arriving, f"{project}/a")
    for _ in range(2):
        database.exporter.write(arriving, f"{project}/a", again=True)
    books.check()


def test_rejected_spans_are_entered_with_the_next_batch_on_the_day_of_their_arrival(
    database: Database, project: str
) -> None:
    database.exporter.count_rejected(project, NOON + DAY, {"no id": 2, "too old": 1})
    database.exporter.count_rejected(project, NOON + DAY, {"no id": 1})
    database.exporter.write(batch(chat(1), project=project), f"{project}/a")
    database.exporter.write(batch(chat(2), project=project), f"{project}/b")
    found = database.rows(
        "SELECT toUInt32(day) AS number, accepted, rejected FROM ledger FINAL WHERE project = {p:String} ORDER BY day, entry",
        p=project,
    )
    today = NOON // DAY
    assert [(row["number"], row["accepted"], row["rejected"]) for row in found] == [
        (today, 1, {}),
        (today, 1, {}),
        (today + 1, 0, {"no id": 3, "too old": 1}),
    ]


def test_rejected_spans_that_no_batch_follows_are_entered_when_the_exporter_closes(
    database: Database, project: str
) -> None:
    exporter = ClickHouseExporter(Writing(Handle(database.connect)))
    exporter.count_rejected(project, NOON, {"no id": 5})
    exporter.close()
    assert database.value("SELECT sum(rejected['no id']) FROM ledger FINAL WHERE project = {p:String}", p=project) == 5


# --- crashes ----------------------------------------------------------------------------------------------------------


FIRST = (agent(1, tokens=(30, 3)), chat(2, start=NOON + DAY, tokens=(9, 9)))
SECOND_TIME = (
    chat(2, parent=1, tokens=(10, 1)),
    chat(3, parent=1, start=NOON + DAY),
    chat(3, parent=1, start=NOON + DAY),
)
"""Has a copy, moves a stored span to another day, and takes from another that it counts: seven statements."""


@pytest.mark.parametrize("fail_at", range(1, 8))
def test_a_write_that_ends_before_any_statement_is_completed_by_the_next_try(
    database: Database, project: str, books: Books, fail_at: int
) -> None:
    books.write(database.exporter, batch(*FIRST, project=project, received_at=NOON + 2 * DAY), f"{project}/a")
    second = batch(*SECOND_TIME, project=project, received_at=NOON + 3 * DAY)
    failing = ClickHouseExporter(failing_writing(database, fail_at, Retryable("the machine stopped")))
    with pytest.raises(Retryable, match="the machine stopped"):
        failing.write(second, f"{project}/b")
    failing.close()
    books.write(database.exporter, second, f"{project}/b", again=True)
    books.check()


def test_a_batch_that_the_store_refuses_is_taken_out_of_the_ledger_and_its_halves_are_entered(
    database: Database, project: str, books: Books
) -> None:
    arriving = [batch(one, project=project) for one in FAMILY]
    whole = concat(arriving)
    exporter = ClickHouseExporter(failing_writing(database, 4, Permanent("the table is gone")))
    exporter.count_rejected(project, NOON, {"no id": 1})
    with pytest.raises(Permanent, match="the table is gone"):  # after the spans were inserted
        exporter.write(whole, f"{project}/a")
    exporter.close()
    with pytest.raises(Permanent, match="refused this batch before"):
        database.exporter.write(whole, f"{project}/a", again=True)
    books.write(database.exporter, arriving[0], f"{project}/a.0", again=True)
    books.write(database.exporter, concat(arriving[1:]), f"{project}/a.1", again=True)
    books.check()
    assert database.value("SELECT sum(rejected['no id']) FROM ledger FINAL WHERE project = {p:String}", p=project) == 1


# --- anything in any order --------------------------------------------------------------------------------------------

_span = st.builds(
    lambda kind, number, changes: (
        operation(kind, number, **changes)
        if kind
        else span(number, **{k: v for k, v in changes.items() if k in ("parent", "trace", "start")})
    ),
    st.sampled_from(["chat", "chat", "embeddings", "invoke_agent", "execute_tool", "fetch_response", ""]),
    st.integers(1, 6),
    st.fixed_dictionaries(
        {
            "parent": st.none() | st.integers(1, 7),
            "trace": st.integers(1, 2),
            "start": st.sampled_from([NOON, NOON + SECOND, NOON + 90 * SECOND, NOON + DAY]),
            "tokens": st.none() | st.tuples(st.integers(0, 99), st.integers(0, 99)),
            "model": st.sampled_from(["gpt-4o", "a model that nobody sells"]),
            "values": st.sampled_from([{}, {}, {"gen_ai.response.id": "p"}, {"gen_ai.response.id": "q"}]),
        }
    ),
)
_request = st.tuples(st.lists(_span, min_size=1, max_size=4), st.integers(0, 3))
_batches = st.lists(st.tuples(st.lists(_request, min_size=1, max_size=2), st.booleans()), min_size=1, max_size=5)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_batches)
def test_decisions_traces_sums_and_ledger_agree_after_every_batch(database: Database, batches: Any) -> None:
    project = f"any-order-{next(_numbers)}"
    books = Books(database, project)
    for number, (requests, twice) in enumerate(batches):
        arriving = concat([batch(*spans, project=project, received_at=NOON + 2 * DAY + at) for spans, at in requests])
        books.write(database.exporter, arriving, f"{project}/{number}")
        if twice:
            database.exporter.write(arriving, f"{project}/{number}", again=True)
        books.check()


def test_a_call_told_by_two_instrumentations_counts_once_and_in_two_traces_is_found(
    database: Database, project: str
) -> None:
    """Beside each other in one trace; then each in a trace of its own, where both count and the ready query says so."""
    later = NOON + MINUTE
    for trace, start in ((1, later), (2, NOON)):
        framework = [span(1, trace=trace, start=start), chat(2, trace=trace, parent=1, start=start, seconds=3)]
        database.exporter.write(batch(*framework, project=project, scope_name="callbacks"), f"{project}/{trace}")
    beside = chat(3, parent=1, start=later + SECOND, values={"gen_ai.response.id": "r"})
    apart = chat(4, trace=3, start=NOON + SECOND, values={"gen_ai.response.id": "s"})
    another = chat(5, trace=4, start=NOON + 10 * SECOND, values={"gen_ai.response.id": "t"})
    for one in (beside, apart, another):
        database.exporter.write(batch(one, project=project, scope_name="client"), f"{project}/{one.span_id.hex()}")
    counting = database.rows(
        "SELECT trace_id, sum(counts) AS calls FROM spans FINAL WHERE project = {p:String} GROUP BY trace_id", p=project
    )
    assert [row["calls"] for row in counting] == [1, 1, 1, 1]
    (found,) = (row for row in database.rows(statement("ready/calls_in_two_traces.sql")) if row["project"] == project)
    assert (found["outer_scope"], found["inner_scope"], found["calls"]) == ("callbacks", "client", 1)
    assert int(found["inner_trace_id"], 16) == 3
