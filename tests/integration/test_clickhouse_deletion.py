"""Deletion in the embedded ClickHouse: whatever is stored, arrives later, arrives again, or is interrupted."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.batch import LogBatch, concat
from collector.decode import Limits, decode_logs
from collector.enrich.event_logs import enrich_logs
from collector.errors import Retryable
from exporters.clickhouse import ClickHouseEditor, ClickHouseExporter
from exporters.clickhouse.client import Handle
from exporters.clickhouse.writing import Writing
from tests.support.books import Books, failing_writing
from tests.support.deletions import LATER, BooksWithDeletions, held
from tests.support.otlp_signals import DETAILS, EVALUATION, log_record, logs
from tests.support.spans import DAY, NOON, SECOND, agent, batch, chat, span, span_id, trace_id
from tests.support.store import Database

_numbers = itertools.count(1)

ONE, TWO = f"{1:032x}", f"{2:032x}"


@pytest.fixture
def books(database: Database, project: str) -> BooksWithDeletions:
    return BooksWithDeletions(database, project)


def token() -> str:
    return f"deletion-{next(_numbers)}"


def of(session: str = "", user: str = "", response: str = "") -> dict[str, Any]:
    """Attributes of a span."""
    named = {"session.id": session, "user.id": user, "gen_ai.response.id": response}
    return {"values": {name: value for name, value in named.items() if value}}


def log_batch(project: str, trace: int | None, response: str = "", text: str = "said") -> LogBatch:
    """A plain log record, content and an evaluation; of a trace, or of a response alone."""
    ids = {"trace_id": b"", "span_id": b""} if trace is None else {"trace_id": trace_id(trace), "span_id": span_id(1)}
    told = {"gen_ai.response.id": response} if response else {}
    content = told | {"gen_ai.output.messages": f'[{{"role": "assistant", "parts": [{{"content": "{text}"}}]}}]'}
    score = told | {"gen_ai.evaluation.name": "relevance", "gen_ai.evaluation.score.value": 0.5}
    records = [
        log_record(body=text, at=NOON, **ids, attributes=told),
        log_record(event=DETAILS, at=NOON, **ids, attributes=content),
        log_record(event=EVALUATION, at=NOON, **ids, attributes=score),
    ]
    payload, limits = logs(*records).SerializeToString(), Limits(accept_past=10**18)
    return enrich_logs(decode_logs(payload, project=project, received_at=NOON + SECOND, limits=limits).batch)


BESIDE = (
    "INSERT INTO feedback (project, trace_id, feedback_id) VALUES ({p:String}, {t:String}, 'f')",
    "INSERT INTO approvals (project, trace_id, span_id) VALUES ({p:String}, {t:String}, 's')",
    "INSERT INTO trace_tags (project, trace_id, added) VALUES ({p:String}, {t:String}, ['good'])",
    "INSERT INTO span_references (project, kind, value, trace_id, span_id) VALUES ({p:String}, 'k', 'v', {t:String}, 's')",
)
"""What stands beside a trace."""


def fill(database: Database, project: str, trace: int) -> None:
    """Put something of a trace into every table."""
    database.exporter.write(
        batch(agent(1, trace=trace), chat(2, trace=trace, parent=1), project=project, received_at=NOON + DAY), token()
    )
    database.exporter.write(log_batch(project, trace), token())
    for sql in BESIDE:
        database.connection.command(sql, parameters={"p": project, "t": f"{trace:032x}"})


# --- what is stored ---------------------------------------------------------------------------------------------------


def test_a_deleted_trace_is_in_no_table_and_no_view_and_all_others_are(database: Database, project: str) -> None:
    for trace in (1, 2):
        fill(database, project, trace)
    whole = held(database, project, 2)
    assert {"spans", "traces", "logs", "span_content", "evaluations", "feedback", "approvals"} < whole.keys()
    assert {"trace_tags", "span_references", "span_messages"} < whole.keys()
    assert database.editor.delete_traces(project, [ONE]) == 1
    assert held(database, project, 1) == {}
    assert held(database, project, 2) == whole
    assert database.store.trace(project, ONE) is None


def test_deleted_rows_leave_the_files(database: Database, project: str) -> None:
    for trace in (1, 2):
        fill(database, project, trace)
    whole = held(database, project, 2)
    database.editor.delete_traces(project, [ONE])
    assert held(database, project, 1, also_on_disk=True).keys() >= {"spans", "traces", "logs", "feedback"}
    assert database.clickhouse.removal.remove()
    assert held(database, project, 1, also_on_disk=True) == {}
    assert held(database, project, 2) == whole
    steps = database.rows("SELECT what, step FROM deletions FINAL WHERE project = {p:String}", p=project)
    assert steps == [{"what": "trace", "step": 2}]


def test_no_older_row_comes_to_light_when_parts_are_merged(
    database: Database, project: str, books: BooksWithDeletions
) -> None:
    for number in range(3):  # as many versions of the trace row, and rows of the span
        books.write(database.exporter, batch(chat(1, tokens=(number, 1)), chat(1, trace=2), project=project), token())
    books.delete_traces(database.editor, [ONE])
    books.check()
    for table in ("spans", "traces"):
        database.connection.change(f"OPTIMIZE TABLE {table} FINAL")
    books.check()
    books.write(database.exporter, batch(chat(1), chat(2, trace=2), project=project), token())
    books.check()


def test_a_trace_of_another_project_with_the_same_id_stays(database: Database, project: str) -> None:
    other = f"{project}-other"
    for each in (project, other):
        fill(database, each, 1)
    whole = held(database, other, 1)
    assert database.editor.delete_traces(project, [ONE]) == 1
    assert held(database, project, 1) == {}
    assert held(database, other, 1) == whole
    database.exporter.write(batch(chat(7), project=other), token())
    assert held(database, other, 1)["spans"] == 3


def test_what_is_not_there_is_not_deleted_and_not_remembered(
    database: Database, project: str, books: BooksWithDeletions
) -> None:
    books.write(database.exporter, batch(chat(1), project=project), token())
    ids = [TWO, "", "1", ONE.upper() + "0", f"{ONE}') OR ('1' = '1", "x" * 32]
    assert database.editor.delete_traces(project, ids) == 0
    assert database.editor.delete_traces(project, []) == 0
    assert database.editor.delete_session(project, "") == database.editor.delete_user(project, "") == 0
    books.write(database.exporter, batch(chat(1, trace=2), project=project), token())
    books.check()


def test_of_several_ids_those_that_are_there_are_deleted_and_counted_once(
    database: Database, project: str, books: BooksWithDeletions
) -> None:
    books.write(database.exporter, batch(chat(1), chat(1, trace=2), project=project), token())
    books.delete_traces(database.editor, [ONE, ONE, f"{3:032x}"])
    books.delete_traces(database.editor, [ONE, TWO])
    books.check()


# --- what arrives later -----------------------------------------------------------------------------------------------


def test_what_arrives_later_of_a_deleted_trace_is_entered_as_deleted_and_not_stored(
    database: Database, project: str, books: BooksWithDeletions
) -> None:
    first = batch(agent(1), chat(2, parent=1), chat(1, trace=2), project=project)
    name = token()
    books.write(database.exporter, first, name)
    books.delete_traces(database.editor, [ONE])
    database.exporter.write(first, name, again=True)  # the journal had not let go of it
    books.check()
    late = batch(chat(3, parent=1, start=NOON + DAY), chat(2, trace=2), project=project)
    books.write(database.exporter, late, token())
    only = token()
    books.write(database.exporter, batch(chat(3, parent=1), chat(3, parent=1), project=project), only)
    database.exporter.write(batch(chat(3, parent=1), chat(3, parent=1), project=project), only, again=True)
    books.check()
    assert books.ledger() == {NOON // DAY: (6, 0, 4), NOON // DAY + 1: (1, 0, 1)}


def test_log_records_of_a_deleted_trace_are_not_stored_when_they_arrive_later(database: Database, project: str) -> None:
    for trace in (1, 2):
        fill(database, project, trace)
    whole = held(database, project, 2)
    database.editor.delete_traces(project, [ONE])
    for trace in (1, 2):
        database.exporter.write(log_batch(project, trace, text="later"), token())
    assert held(database, project, 1) == {}
    assert held(database, project, 2)["logs"] == 2 * whole["logs"]


@pytest.mark.parametrize("order", list(itertools.permutations(("call", "logs", "deletion"))), ids="-".join)
def test_what_stands_under_the_response_of_a_deleted_trace_alone_goes_with_it_in_any_order(
    database: Database, project: str, order: tuple[str, ...]
) -> None:
    database.exporter.write(batch(span(1), project=project), token())
    steps: dict[str, Callable[[], Any]] = {
        "call": lambda: database.exporter.write(
            batch(chat(2, parent=1, **of(response="r'1")), project=project), token()
        ),
        "logs": lambda: database.exporter.write(log_batch(project, None, "r'1"), token()),
        "deletion": lambda: database.editor.delete_traces(project, [ONE]),
    }
    database.exporter.write(log_batch(project, None, "another"), token())
    for step in order:
        steps[step]()
    for table in ("logs", "span_content", "evaluations"):
        sql = "SELECT DISTINCT response_id FROM {t:Identifier} WHERE project = {p:String}"
        assert database.rows(sql, t=table, p=project) == [{"response_id": "another"}], table


# --- sessions and users -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["session", "user"])
def test_a_session_or_user_is_deleted_with_every_trace_of_which_any_span_names_it(
    database: Database, project: str, books: BooksWithDeletions, what: str
) -> None:
    books.write(
        database.exporter,
        batch(
            span(1, **of("it's", "it's")),
            span(1, trace=2),
            chat(2, trace=2, parent=1, start=NOON + SECOND, **of("it's", "it's")),
            chat(1, trace=3, **of("another", "another")),
            chat(1, trace=4),
            project=project,
        ),
        token(),
    )
    books.delete_owner(database.editor, what, "it's")
    books.check()
    assert database.store.trace(project, f"{3:032x}")
    books.delete_owner(database.editor, what, "it's")
    books.delete_owner(database.editor, what, "nobody")
    books.check()


@pytest.mark.parametrize("what", ["session", "user"])
def test_a_trace_that_turns_out_later_to_belong_to_a_deleted_one_is_deleted_then(
    database: Database, project: str, books: BooksWithDeletions, what: str
) -> None:
    books.delete_owner(database.editor, what, "s")
    books.write(database.exporter, batch(chat(1), chat(2, parent=1), project=project), token())
    database.exporter.write(log_batch(project, 1), token())
    books.check()
    books.write(database.exporter, batch(chat(3, parent=1, **of("s", "s")), chat(1, trace=2), project=project), token())
    books.check()
    assert held(database, project, 1) == {}
    books.write(database.exporter, batch(chat(4, parent=1), project=project), token())
    books.check()


def test_traces_of_a_deleted_session_that_begin_later_are_new_ones(
    database: Database, project: str, books: BooksWithDeletions
) -> None:
    books.delete_owner(database.editor, "session", "s")
    books.write(database.exporter, batch(chat(1, start=LATER, **of("s")), project=project), token())
    books.check()
    assert database.store.trace(project, ONE)
    before = batch(span(2, start=NOON), project=project)
    books.write(database.exporter, before, token())  # it has begun earlier than it seemed
    books.check()
    assert database.store.trace(project, ONE) is None


def test_a_span_that_was_sent_again_with_another_session_does_not_go_with_the_former(
    database: Database, project: str, books: BooksWithDeletions
) -> None:
    for number, session in enumerate(("former", "latter")):
        one = batch(chat(1, **of(session)), project=project, received_at=NOON + DAY + number * SECOND)
        books.write(database.exporter, one, token())
    books.delete_owner(database.editor, "session", "former")
    books.check()
    books.delete_owner(database.editor, "session", "latter")
    books.check()
    assert database.store.trace(project, ONE) is None


def test_more_traces_than_one_statement_deletes_are_deleted(database: Database, project: str, monkeypatch: Any) -> None:
    monkeypatch.setattr("exporters.clickhouse.deleting.AT_ONCE", 3)
    books = BooksWithDeletions(database, project)
    spans = [chat(1, trace=n, start=NOON + n * DAY // 4, **of("s", response=f"r{n}")) for n in range(1, 12)]
    books.write(database.exporter, batch(*spans, project=project), token())
    books.delete_owner(database.editor, "session", "s")
    books.check()


# --- interruptions ----------------------------------------------------------------------------------------------------


def interrupted(database: Database, what: Callable[[Writing, int], None], after: Callable[[int], None]) -> int:
    """Let each statement of something fail in turn, until none does; `what` and `after` get the number of the turn."""
    for number in itertools.count(1):
        writing = failing_writing(database, number, Retryable("the machine stopped"))
        try:
            what(writing, number)
        except Retryable:
            failed = True
        else:
            failed = False
        writing.handle.close()
        after(number)
        if not failed:
            return number - 1
    raise AssertionError


@contextmanager
def restarted(database: Database) -> Iterator[Writing]:
    """What the next process writes with."""
    writing = Writing(Handle(database.connect))
    yield writing
    writing.handle.close()


@pytest.mark.parametrize("by", ["trace", "session"])
def test_a_deletion_that_ends_before_any_statement_is_completed_later_and_entered_once(
    database: Database, project: str, by: str
) -> None:
    def name(number: int) -> str:
        return f"{project}-{number}"

    def delete(writing: Writing, number: int) -> None:
        spans = batch(chat(1, **of("s")), chat(2, start=NOON + DAY, **of(response="r")), project=name(number))
        database.exporter.write(spans, token())
        editor = ClickHouseEditor(writing)
        assert (
            editor.delete_traces(name(number), [ONE]) if by == "trace" else editor.delete_session(name(number), "s")
        ) == 1

    def check(number: int) -> None:
        noted = database.value("SELECT count() FROM deletions WHERE project = {p:String}", p=name(number))
        with restarted(database) as writing:  # whatever it is that comes next
            ClickHouseExporter(writing).write(batch(chat(1, trace=2), project=name(number)), token())
        found = held(database, name(number), 1)
        deleted = database.value("SELECT sum(deleted) FROM ledger FINAL WHERE project = {p:String}", p=name(number))
        assert (bool(found), deleted) == ((False, 2) if noted else (True, 0))

    assert interrupted(database, delete, check) > 15


def test_a_batch_that_deletes_and_ends_before_any_statement_is_completed_by_the_next_try(
    database: Database, project: str
) -> None:
    every: dict[int, tuple[BooksWithDeletions, str]] = {}

    def late(number: int) -> Any:
        spans = (chat(3, **of("s", response="q")), chat(1, trace=2), chat(1, trace=3), chat(4, trace=3))
        return batch(*spans, project=f"{project}-{number}", received_at=NOON + 2 * DAY)

    def write(writing: Writing, number: int) -> None:
        books, name = every[number] = BooksWithDeletions(database, f"{project}-{number}"), token()
        early = batch(chat(1), chat(2, start=NOON + DAY), chat(1, trace=3), project=f"{project}-{number}")
        books.write(database.exporter, early, token())
        books.delete_owner(database.editor, "session", "s")
        books.delete_traces(database.editor, [f"{3:032x}"])
        books.remember(late(number))
        ClickHouseExporter(writing).write(late(number), name)

    def check(number: int) -> None:
        books, name = every[number]
        with restarted(database) as writing:
            ClickHouseExporter(writing).write(late(number), name, again=True)
        books.check()

    assert interrupted(database, write, check) > 20


# --- anything in any order --------------------------------------------------------------------------------------------

_span = st.builds(
    lambda number, trace, start, owner: chat(number, trace=trace, parent=number - 1 or None, start=start, **of(*owner)),
    st.integers(1, 4),
    st.integers(1, 4),
    st.sampled_from([NOON, NOON + 90 * SECOND, NOON + DAY, LATER]),
    st.tuples(*[st.sampled_from(["", "", "a", "b"])] * 2, st.sampled_from(["", "r"])),
)
_write = st.tuples(
    st.just("write"), st.lists(st.tuples(_span, st.integers(0, 3)), min_size=1, max_size=5), st.booleans()
)
_delete = st.one_of(
    st.tuples(st.just("trace"), st.lists(st.integers(1, 5), min_size=1, max_size=2)),
    st.tuples(st.sampled_from(["session", "user"]), st.sampled_from(["a", "b"])),
)
_again = st.tuples(st.just("again"), st.integers(0, 9))
_steps = st.lists(st.one_of(_write, _write, _write, _delete, _delete, _again), min_size=2, max_size=9)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_steps, st.integers(0, 19))
def test_whatever_is_written_again_and_deleted_the_books_balance_and_nothing_deleted_is_shown(
    database: Database, steps: Any, removes: int
) -> None:
    project = f"any-deletion-{next(_numbers)}"
    books = BooksWithDeletions(database, project)
    written = []
    for number, (what, *values) in enumerate(steps):
        if what == "write":
            spans, twice = values
            arriving = concat(
                [
                    batch(one, project=project, received_at=one.start_time_unix_nano + DAY + at * SECOND)
                    for one, at in spans
                ]
            )
            written.append((arriving, token()))
            books.write(database.exporter, *written[-1])
            if twice:
                database.exporter.write(*written[-1], again=True)
        elif what == "again":
            if written and values[0] >= len(written) - 1:
                database.exporter.write(*written[-1], again=True)  # the journal kept the last one
        elif what == "trace":
            books.delete_traces(database.editor, [f"{one:032x}" for one in values[0]])
        else:
            books.delete_owner(database.editor, what, values[0])
        if number == removes:
            assert database.clickhouse.removal.remove()
        Books.check(books)
    books.check()
