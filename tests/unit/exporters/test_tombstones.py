"""Which traces belong to a deleted session or user."""

from __future__ import annotations

import pyarrow as pa
import pytest

from exporters.clickhouse.tombstones import SESSION, USER, traces_of_owners
from tests.unit.exporters.traces import Row, row, table


def deleted(**at: int) -> pa.Table:
    return pa.table({"id": pa.array(list(at), pa.string()), "requested_at": pa.array(list(at.values()), pa.int64())})


def found(rows: list[Row], sessions: pa.Table | None = None, users: pa.Table | None = None) -> list[str]:
    return traces_of_owners(table(rows), {SESSION: sessions or deleted(), USER: users or deleted()})


def test_a_trace_belongs_to_the_session_and_the_user_that_any_span_of_it_names() -> None:
    rows = [
        row("a", trace_id="1", session_id="s"),
        row("a", trace_id="2"),
        row("b", trace_id="2", user_id="u"),
        row("a", trace_id="3", session_id="u", user_id="s"),
        row("a", trace_id="4", session_id="another"),
    ]
    assert found(rows, deleted(s=100), deleted(u=100)) == ["1", "2"]


@pytest.mark.parametrize(("start", "gone"), [(99, True), (100, False), (101, False)])
def test_a_trace_that_began_after_the_deletion_is_a_new_one(start: int, gone: bool) -> None:
    assert found([row("a", start_time=start, session_id="s")], deleted(s=100)) == (["t"] if gone else [])


def test_a_trace_begins_with_its_first_span_whichever_span_names_the_session() -> None:
    rows = [row("a", start_time=99), row("b", start_time=500, session_id="s")]
    assert found(rows, deleted(s=100)) == ["t"]


def test_a_row_that_was_replaced_names_nothing() -> None:
    rows = [row("a", session_id="s", received_at=1), row("a", session_id="another", received_at=2)]
    assert found(rows, deleted(s=100)) == []
    assert found(rows, deleted(another=100)) == ["t"]


def test_spans_without_session_and_user_belong_to_nobody() -> None:
    assert found([row("a")], deleted(s=100), deleted(u=100)) == []
