"""Reviews in the embedded ClickHouse: stored durably, replaced, taken back, and joined to what came with the spans."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from typing import Any

import pytest
from fastapi.testclient import TestClient

from collector.query.editor import Approval, Feedback
from collector.query.span_ids import span_id_of, span_uuid
from exporters.clickhouse import edit_reviews, read_joined
from tests.support.otlp_signals import EVALUATION, log_record
from tests.support.spans import NOON, SECOND, batch, chat, log_batch, span, span_id, trace_id
from tests.support.store import Database
from tests.unit.query.rows import application

TRACE, ROOT = trace_id(1).hex(), span_id(1).hex()


def said(number: int = 1, **changes: Any) -> Feedback:
    return Feedback(**{"feedback_id": str(uuid.UUID(int=number)), "trace_id": TRACE, "span_id": "", **changes})


def stored(database: Database, project: str, **changes: Any) -> Sequence[Any]:
    return database.store.feedback(project, [TRACE], **changes)


@pytest.mark.parametrize("table", ["feedback", "approvals"])
def test_what_was_answered_is_on_the_disk(database: Database, table: str) -> None:
    sql = "SELECT engine_full FROM system.tables WHERE name IN ({table:String}, {table:String} || '_local')"
    engine = " ".join(row["engine_full"] for row in database.rows(sql, table=table))
    assert "fsync_after_insert = 1" in engine
    assert "fsync_part_directory = 1" in engine


def test_feedback_comes_back_as_it_was_given(database: Database, project: str) -> None:
    before = time.time_ns() // 1000 * 1000
    whole = said(
        span_id=ROOT,
        user_id="ann",
        label="negative",
        score=0.25,
        content="Nein '\\ \x00 😀",
        tags=("a", "b"),
        source="native",
    )
    kept = database.clickhouse.editor.add_feedback(project, [whole, said(2)])
    rows = stored(database, project)
    assert [{**row, "tags": tuple(row["tags"])} for row in rows] == [vars(each) for each in kept]
    assert all(before <= each.created_at <= time.time_ns() for each in kept)
    assert {**vars(kept[0]), "created_at": 0} == vars(whole)
    assert database.store.feedback("another", [TRACE]) == database.store.feedback(project, []) == []


def test_feedback_with_an_id_that_is_there_replaces_it_and_keeps_its_first_time(
    database: Database, project: str
) -> None:
    editor = database.clickhouse.editor
    (first,) = editor.add_feedback(project, [said(content="first")])
    (second,) = editor.add_feedback(project, [said(content="second", created_at=NOON)])
    assert second.created_at == first.created_at
    assert [row["content"] for row in stored(database, project)] == ["second"]
    editor.add_feedback(project, [said(content="a"), said(content="b")])
    assert [row["content"] for row in stored(database, project)] == ["b"]
    elsewhere = editor.add_feedback(project, [said(trace_id="f" * 32, created_at=NOON)])
    assert [each.created_at for each in elsewhere] == [NOON]
    assert editor.add_feedback(project, []) == []


def test_feedback_that_is_taken_back_is_gone_with_what_it_said_and_may_come_again(
    database: Database, project: str
) -> None:
    editor = database.clickhouse.editor
    editor.add_feedback(project, [said(content="secret", user_id="ann", tags=("t",), score=1.0, label="positive")])
    feedback_id = said().feedback_id
    assert not editor.remove_feedback("another", TRACE, feedback_id)
    assert not editor.remove_feedback(project, "f" * 32, feedback_id)
    assert editor.remove_feedback(project, TRACE, feedback_id)
    assert not editor.remove_feedback(project, TRACE, feedback_id)
    assert stored(database, project) == []
    sql = "SELECT content, user_id, tags, score, label FROM feedback FINAL WHERE project = {p:String}"
    assert database.rows(sql, p=project) == [{"content": "", "user_id": "", "tags": [], "score": None, "label": ""}]
    editor.add_feedback(project, [said(content="again")])
    assert [row["content"] for row in stored(database, project)] == ["again"]


def test_the_latest_change_counts_also_when_the_clock_was_set_back(
    database: Database, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = database.clickhouse.editor
    now = time.time_ns()
    for back in (0, 3600 * SECOND, 7200 * SECOND):
        monkeypatch.setattr(edit_reviews.time, "time_ns", lambda back=back: now - back)
        editor.add_feedback(project, [said(content=str(back))])
        editor.set_approval(project, Approval(TRACE, ROOT, str(back)))
    assert [row["content"] for row in stored(database, project)] == [str(7200 * SECOND)]
    assert [row["output"] for row in database.store.approvals(project, [TRACE])] == [str(7200 * SECOND)]
    assert editor.remove_feedback(project, TRACE, said().feedback_id)
    assert stored(database, project) == []


def test_feedback_is_listed_by_time_and_of_each_trace_no_more_than_asked(database: Database, project: str) -> None:
    traces = [f"{number:032x}" for number in (1, 2)]
    given = [said(n, trace_id=each, created_at=NOON - n * SECOND) for each in traces for n in range(1, 6)]
    database.clickhouse.editor.add_feedback(project, given)
    rows = database.store.feedback(project, traces, 2)
    assert [(row["trace_id"], row["created_at"]) for row in rows] == [
        (each, NOON - n * SECOND) for each in traces for n in (5, 4)
    ]


def test_an_approval_is_stored_and_the_same_again_changes_nothing(database: Database, project: str) -> None:
    editor = database.clickhouse.editor
    first = editor.set_approval(project, Approval(TRACE, ROOT, '{"a": "\\u0000"}', "ann"))
    assert editor.set_approval(project, Approval(TRACE, ROOT, '{"a": "\\u0000"}', "ann")) == first
    assert database.store.approvals(project, [TRACE]) == [vars(first)]
    other = editor.set_approval(project, Approval(TRACE, ROOT, '{"a": "\\u0000"}', "bob"))
    assert other.created_at > first.created_at
    assert database.store.approvals(project, [TRACE]) == [vars(other)]
    assert database.store.approvals("another", [TRACE]) == database.store.approvals(project, []) == []


HOSTILE = [
    "'", "\\'", "'); DROP TABLE feedback; --", "{project:String}", "%s %(a)s", "a\x00b", "\t\n", "\\N", "/*columns*/", "日本",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_hostile_texts_come_back_as_they_are_and_find_nothing_else(database: Database, project: str, text: str) -> None:
    editor = database.clickhouse.editor
    hostile = f"{project}{text}"
    editor.add_feedback(hostile, [said(user_id=text, content=text, tags=(text,), source=text)])
    editor.set_approval(hostile, Approval(TRACE, ROOT, text, text))
    (row,) = stored(database, hostile)
    assert (row["user_id"], row["content"], list(row["tags"]), row["source"]) == (text, text, [text], text)
    (approval,) = database.store.approvals(hostile, [TRACE])
    assert (approval["output"], approval["user_id"]) == (text, text)
    assert database.store.feedback(project, [text]) == database.store.approvals(text, [text]) == []
    assert not database.store.has_span(text, text, text)
    assert not editor.remove_feedback(hostile, text, text)


def test_it_is_known_whether_there_is_a_trace_and_a_span(database: Database, project: str) -> None:
    database.exporter.write(batch(span(1), span(2, parent=1, start=NOON + 3600 * SECOND), project=project), project)
    has_span = database.store.has_span
    assert has_span(project, TRACE)
    assert has_span(project, TRACE, ROOT)
    assert has_span(project, TRACE, span_id(2).hex())
    assert not has_span(project, TRACE, span_id(3).hex())
    assert not has_span(project, "f" * 32)
    assert not has_span(project, "f" * 32, ROOT)
    assert not has_span("another", TRACE, ROOT)


def test_the_uuid_of_a_span_is_that_of_its_row(database: Database, project: str) -> None:
    database.exporter.write(batch(span(0xA1B2C3D4E5F60718, trace=0x0123456789ABCDEF << 64), project=project), project)
    sql = "SELECT trace_id, span_id, toString(span_uuid) AS shown FROM spans WHERE project = {p:String}"
    (row,) = database.rows(sql, p=project)
    assert span_uuid(row["trace_id"], row["span_id"]) == row["shown"]
    assert span_id_of(row["trace_id"], row["shown"]) == row["span_id"]


def test_reviews_of_both_ways_are_shown_together(
    database: Database, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Feedback as an event of the span, as a log event and over the API; approvals as an attribute and over the API."""
    monkeypatch.setattr(read_joined, "LOOK_AGAIN_S", 0.0)
    event = {"gen_ai.evaluation.name": "feedback", "gen_ai.evaluation.score.label": "thumbs_down"}
    message = '[{"role": "assistant", "parts": [{"type": "text", "content": "Paris."}]}]'
    root = chat(1, values={"gen_ai.output.messages": message, "review.approved_output": "Lyon."})
    root.events.add(name=EVALUATION, time_unix_nano=NOON + SECOND).attributes.extend(
        log_record(attributes={**event, "user.id": "ann"}).attributes
    )
    record = log_record(event=EVALUATION, at=NOON + 2 * SECOND, trace_id=trace_id(1), span_id=span_id(1),
                        attributes={**event, "gen_ai.evaluation.explanation": "No.", "user.id": "bob"})  # fmt: skip
    database.exporter.write(batch(root, project=project), f"{project}/spans")
    database.exporter.write(log_batch(project, record), f"{project}/logs")
    client = TestClient(application(database.store, editor=database.clickhouse.editor, project=project))

    assert client.post(f"/traces/{TRACE}/feedback", json={"content": "Why?", "span_id": ROOT}).status_code == 201
    items = client.get(f"/traces/{TRACE}/feedback").json()["items"]
    assert [(item["user_id"], item["label"], item["content"]) for item in items] == [
        ("ann", "negative", None),
        ("bob", "negative", "No."),
        (None, None, "Why?"),
    ]
    approval = f"/traces/{TRACE}/spans/{ROOT}/approval"
    assert client.get(approval).json()["output"] == "Lyon."
    assert client.put(approval, json={"accept": True}).json()["accepted"] is True
    trace = client.get(f"/artanis/api/traces/{TRACE}").json()
    assert [each["content"] for each in trace["feedback"]] == ["negative", "No.", "Why?"]
    (shown,) = trace["spans"]
    assert shown["approvedOutput"] == shown["output"] == "Paris."
    assert "review.approved_output" not in shown["metadata"]
