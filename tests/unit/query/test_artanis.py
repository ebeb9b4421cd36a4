"""The Artanis API: which rows fill which field, projects, pages and deletion."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from collector.errors import Permanent, Retryable
from collector.project import project_uuid
from collector.query.artanis.view import NOBODY, trace_document, trace_item
from collector.query.reader import TraceFilters
from collector.settings_attributes import Attributes
from tests.unit.query.reviewed import ReviewedTraces, evaluation
from tests.unit.query.rows import (
    ROOT_ID,
    START,
    TRACE_ID,
    TRACE_UUID,
    Row,
    bare_span_row,
    model_call_row,
    running_trace_row,
    text_message,
    trace_row,
)

SPAN_UUID = "0af76519-16cd-443b-87ad-6b7169203331"


def document(*spans: Row, feedback: tuple[Row, ...] = (), trace: Row | None = None) -> dict[str, Any]:
    return trace_document(trace or trace_row(), spans, feedback, [], Attributes())


def shown(**changes: Any) -> dict[str, Any]:
    (span,) = document(bare_span_row(**changes))["spans"]
    return span


def given(**changes: Any) -> Row:
    plain = {"feedback_id": str(uuid.UUID(int=1)), "trace_id": TRACE_ID, "span_id": "", "user_id": "", "label": ""}
    return {**plain, "score": None, "content": "", "tags": (), "source": "native", "created_at": START, **changes}


# Traces.


@pytest.mark.parametrize(
    ("status", "as_shown"),
    [("RUNNING", "running"), ("PENDING", "running"), ("COMPLETED", "completed"), ("ERROR", "completed")],
)
def test_a_trace_is_running_or_completed(status: str, as_shown: str) -> None:
    assert trace_item(trace_row(status=status))["status"] == as_shown


def test_the_metadata_of_a_trace_are_what_it_is_found_by_and_whether_it_failed() -> None:
    assert trace_item(trace_row(error_count=2))["metadata"] == {
        "user_id": "user-1",
        "session_id": "session-1",
        "environment": "production",
        "release": "1.2.3",
        "tags": ["paid", "beta"],
        "error_count": 2,
    }
    assert trace_item(running_trace_row())["metadata"] == {}


def test_a_trace_was_updated_when_it_ended_and_until_then_when_it_began() -> None:
    ended = trace_item(trace_row())
    assert (ended["createdAt"], ended["updatedAt"]) == ("2026-01-01T00:00:00.123Z", "2026-01-01T00:00:02.623Z")
    assert trace_item(running_trace_row())["updatedAt"] == "2026-01-01T00:00:00.123Z"


# Spans.


def test_a_step_is_what_the_attribute_says_or_the_name_of_the_span() -> None:
    assert shown()["stepId"] == "handle request"
    assert shown(attributes={"artanis.step_id": "classify"})["stepId"] == "classify"
    assert shown(attributes={"artanis.step_id": 7})["stepId"] == "7"


def test_the_input_is_the_content_of_the_span_or_what_the_attribute_says() -> None:
    assert shown(kind="TOOL", input='{"a": 1}')["input"] == {"a": 1}
    assert shown(attributes={"artanis.input": '{"a": 1}'})["input"] == {"a": 1}
    assert shown(attributes={"artanis.input": ["a"]})["input"] == ["a"]
    assert shown(attributes={"input.value": "hello"})["input"] == "hello"
    assert shown(input='{"a": 1}', attributes={"artanis.input": "no"})["input"] == {"a": 1}
    assert shown()["input"] is None


def test_the_input_of_a_model_call_is_the_whole_prompt() -> None:
    (span,) = document(model_call_row())["spans"]
    assert span["input"] == {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "What is the capital of France?"},
        ]
    }
    assert span["output"] == "Paris."


def test_a_prompt_version_is_the_given_id_or_always_the_same_uuid_or_null() -> None:
    assert shown()["promptVersionId"] is None
    assert shown(attributes={"artanis.prompt_version_id": "v3"}, prompt_version="3")["promptVersionId"] == "v3"
    versions = (("a", "1"), ("a", "1"), ("b", "1"), ("a", "2"))
    ids = [shown(prompt_name=name, prompt_version=version)["promptVersionId"] for name, version in versions]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3
    assert [str(uuid.UUID(one)) for one in ids] == ids


def test_the_metadata_of_a_span_hold_what_is_shown_nowhere_else() -> None:
    attributes = {
        "artanis.step_id": "s",
        "artanis.input": "i",
        "output.value": "o",
        "artanis.prompt_version_id": "p",
        "review.approved_output": "a",
        "review.user_id": "r",
        "user.id": "user-1",
        "session.id": "another",
        "app.feature": "search",
        "metadata": '{"plan": "pro"}',
    }
    metadata = shown(attributes=attributes, metadata={"plan": "pro"})["metadata"]
    assert metadata == {"plan": "pro", "session.id": "another", "app.feature": "search"}
    own = shown(attributes={"input.value": "raw", "output.value": "raw"}, input="i", output="o")
    assert own["metadata"] == {"input.value": "raw", "output.value": "raw"}


def test_a_span_that_failed_says_so_in_its_metadata() -> None:
    assert shown(status_code="ERROR", error="boom")["metadata"] == {"error": "boom"}
    assert shown(status_code="ERROR", error="boom", attributes={"error": "own"})["metadata"] == {"error": "own"}


def test_an_approved_output_equals_the_output_where_it_was_accepted() -> None:
    call = model_call_row(output=json.dumps([text_message("assistant", '{"category": "billing"}')]))
    store = ReviewedTraces(trace_row(), [bare_span_row(output='{"n": 1.0, "a": ["\\u00e9", null]}'), call])
    client = store.client()
    for span_id in (ROOT_ID, call["span_id"]):
        client.put(f"/traces/{TRACE_ID}/spans/{span_id}/approval", json={"accept": True})
    for span in client.get(f"/artanis/api/traces/{TRACE_ID}").json()["spans"]:
        assert span["approvedOutput"] == span["output"] is not None
    client.put(f"/traces/{TRACE_ID}/spans/{ROOT_ID}/approval", json={"output": {"n": 2}})
    assert client.get(f"/artanis/api/traces/{TRACE_ID}").json()["spans"][0]["approvedOutput"] == {"n": 2}


# Feedback.


def test_feedback_of_a_whole_trace_is_shown_at_its_root_or_its_first_span() -> None:
    spans = bare_span_row(), model_call_row()
    (of_root,) = document(*spans, feedback=(given(),))["feedback"]
    assert of_root["spanId"] == SPAN_UUID
    (of_first,) = document(spans[1], feedback=(given(),), trace=running_trace_row())["feedback"]
    assert of_first["spanId"] == "0af76519-16cd-4430-80f0-67aa0ba902b7"
    (of_none,) = document(feedback=(given(),), trace=running_trace_row())["feedback"]
    assert of_none["spanId"] == NOBODY


def test_feedback_names_its_user_or_nobody() -> None:
    assert document(feedback=(given(user_id="ann"),))["feedback"][0]["userId"] == "ann"
    assert document(feedback=(given(),))["feedback"][0]["userId"] == NOBODY


@pytest.mark.parametrize(
    ("said", "content"),
    [
        ({"content": "Wrong.", "label": "negative"}, "Wrong."),
        ({"label": "negative"}, "negative"),
        ({"score": 0.5}, "0.5"),
        ({"label": "positive", "score": 1.0, "tags": ("a", "b")}, "positive, 1, a, b"),
    ],
)
def test_feedback_without_a_comment_is_told_in_the_words_that_there_are(said: Row, content: str) -> None:
    assert document(feedback=(given(**said),))["feedback"][0]["content"] == content


def test_feedback_of_both_ways_is_in_the_order_of_its_times() -> None:
    span = bare_span_row(evaluations=[evaluation(explanation="second", time=START + 1)])
    feedback = given(content="third", created_at=START + 2), given(feedback_id=NOBODY, content="first")
    found = document(span, feedback=feedback)
    assert [each["content"] for each in found["feedback"]] == ["first", "second", "third"]


# Projects, pages, deletion, errors.


def stored(**changes: Any) -> ReviewedTraces:
    return ReviewedTraces(trace_row(**changes), [bare_span_row()], project="shop")


@pytest.mark.parametrize(
    "query",
    [
        "projectSlug=shop",
        f"projectId={project_uuid('shop')}",
        f"projectId={project_uuid('shop').upper()}",
        f"projectSlug=shop&projectId={project_uuid('shop')}",
    ],
)
def test_a_project_is_known_by_its_name_and_its_uuid(query: str) -> None:
    response = stored().client().get(f"/artanis/api/traces?{query}")
    assert response.status_code == 200
    assert [trace["id"] for trace in response.json()["traces"]] == [TRACE_UUID]
    assert response.headers["X-Total-Count"] == "1"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("projectSlug=", 400),
        ("projectSlug=Shop", 404),
        ("projectSlug=default", 404),
        (f"projectSlug=shop&projectId={project_uuid('default')}", 404),
        (f"projectSlug=default&projectId={project_uuid('shop')}", 404),
        ("projectId=shop", 404),
        ("projectId=%00", 404),
        ("projectSlug=%ED%A0%80", 404),
        ("projectSlug=' OR 1=1 --", 404),
        (f"projectSlug={'x' * 5000}", 404),
    ],
)
def test_any_other_project_is_not_found(query: str, status: int) -> None:
    store = stored()
    response = store.client().get(f"/artanis/api/traces?{query}")
    assert response.status_code == status
    assert list(response.json()) == ["error"]
    assert store.asked == []


def asked(query: str) -> TraceFilters:
    store = stored()
    assert store.client().get(f"/artanis/api/traces?projectSlug=shop{query}").status_code == 200
    ((project, filters),) = store.asked
    assert project == "shop"
    assert isinstance(filters, TraceFilters)
    return filters


def test_a_list_is_the_newest_thousand_unless_it_is_asked_for_a_page() -> None:
    filters = asked("")
    assert (filters.limit, filters.offset, filters.sort_by, filters.descending) == (1000, 0, "started_at", True)
    filters = asked("&limit=10&offset=20&sort=name&status=x")
    assert (filters.limit, filters.offset, filters.sort_by, filters.status) == (10, 20, "started_at", None)


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "offset=-1", "offset=1000001", "offset=1e3"])
def test_a_page_has_bounds(query: str) -> None:
    response = stored().client().get(f"/artanis/api/traces?projectSlug=shop&{query}")
    assert response.status_code == 400
    assert response.json()["error"].startswith(f"query -> {query.partition('=')[0]}: Input should be")


@pytest.mark.parametrize("trace_id", [TRACE_ID, TRACE_UUID, TRACE_UUID.upper()])
def test_a_trace_is_deleted_once(trace_id: str) -> None:
    store = stored()
    client = store.client()
    deleted = client.delete(f"/artanis/api/traces/{trace_id}")
    assert (deleted.status_code, deleted.json()) == (200, {})
    assert store.deleted == [TRACE_ID]
    for method in ("GET", "DELETE"):
        response = client.request(method, f"/artanis/api/traces/{trace_id}")
        assert (response.status_code, response.json()) == (404, {"error": "Not found"})


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("trace_id", ["x", "a" * 31, "g" * 32, "%00", "' OR 1=1 --", "%ED%A0%80", "9" * 5000, "%2e%2e"])
def test_an_id_that_is_none_is_not_found_and_never_reaches_the_store(method: str, trace_id: str) -> None:
    store = stored()
    response = store.client().request(method, f"/artanis/api/traces/{trace_id}")
    assert (response.status_code, response.json()) == (404, {"error": "Not found"})
    assert store.asked == store.deleted == []


@pytest.mark.parametrize(
    ("error", "status"), [(Retryable("The store is busy", after=2), 503), (Permanent("Too many rows"), 422)]
)
def test_what_the_store_cannot_answer_is_told_in_the_documented_form(error: Exception, status: int) -> None:
    store = stored()
    store.error = error
    for path in ("/artanis/api/traces?projectSlug=shop", f"/artanis/api/traces/{TRACE_ID}"):
        response = store.client().get(path)
        assert (response.status_code, response.json()) == (status, {"error": str(error)})


def test_what_is_unexpected_is_told_in_the_documented_form() -> None:
    store = stored()
    store.error = RuntimeError("secret")
    response = store.client().get(f"/artanis/api/traces/{TRACE_ID}")
    assert (response.status_code, response.json()) == (500, {"error": "Internal error"})
