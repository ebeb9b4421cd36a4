"""Our own API of reviews over HTTP: what it takes, what it refuses, and what it gives back."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from fastapi.testclient import TestClient

from collector.query.boundary import MAX_BODY
from tests.unit.query.reviewed import ReviewedTraces, evaluation
from tests.unit.query.rows import ROOT_ID, TRACE_ID, TRACE_UUID, bare_span_row, model_call_row, trace_row

SPAN_UUID = "0af76519-16cd-443b-87ad-6b7169203331"
CALL_ID = "00f067aa0ba902b7"
FEEDBACK = f"/traces/{TRACE_ID}/feedback"
APPROVAL = f"/traces/{TRACE_ID}/spans/{ROOT_ID}/approval"
OTHER_TRACE = "f" * 32


def stored(**root: Any) -> ReviewedTraces:
    return ReviewedTraces(trace_row(), [bare_span_row(**root), model_call_row()])


@pytest.fixture
def client() -> TestClient:
    return stored(output='{"category": "billing"}').client()


# Feedback.


@pytest.mark.parametrize("trace_id", [TRACE_ID, TRACE_UUID])
@pytest.mark.parametrize("span_id", [ROOT_ID, SPAN_UUID])
def test_feedback_is_answered_as_it_is_stored_and_can_be_read(client: TestClient, trace_id: str, span_id: str) -> None:
    feedback_id = str(uuid.uuid4())
    said = {
        "feedback_id": feedback_id,
        "user_id": "ann",
        "label": "negative",
        "score": 0.25,
        "content": "Should have been a refund.",
        "tags": ["refund"],
    }
    response = client.post(f"/traces/{trace_id}/feedback", json={**said, "span_id": span_id})
    assert response.status_code == 201
    document = {
        **said,
        "trace_id": TRACE_UUID,
        "span_id": SPAN_UUID,
        "source": "native",
        "created_at": "2026-01-01T01:00:00.000000+00:00",
    }
    assert response.json() == document
    assert client.get(f"/traces/{trace_id}/feedback").json() == {"items": [document], "limit": 50, "offset": 0}


def test_feedback_on_a_whole_trace_has_an_id_of_its_own_and_null_for_what_is_not_said(client: TestClient) -> None:
    first, second = (client.post(FEEDBACK, json={"label": "positive"}).json() for _ in range(2))
    assert uuid.UUID(first["feedback_id"]) != uuid.UUID(second["feedback_id"])
    assert [first[name] for name in ("span_id", "user_id", "score", "content", "tags")] == [None, None, None, None, []]


def test_the_same_feedback_sent_twice_is_there_once(client: TestClient) -> None:
    said = {"feedback_id": str(uuid.uuid4()), "content": "once"}
    first, again = (client.post(FEEDBACK, json=said) for _ in range(2))
    assert (first.status_code, again.status_code, first.json()) == (201, 201, again.json())
    assert len(client.get(FEEDBACK).json()["items"]) == 1


def test_feedback_that_came_with_the_spans_is_listed_too() -> None:
    client = stored(evaluations=[evaluation(explanation="with the span")]).client()
    client.post(FEEDBACK, json={"content": "over the API"})
    items = client.get(FEEDBACK).json()["items"]
    assert [(item["content"], item["source"]) for item in items] == [
        ("with the span", "otlp"),
        ("over the API", "native"),
    ]


def test_pages_of_feedback_follow_each_other() -> None:
    client = stored(evaluations=[evaluation(explanation="0")]).client()
    for number in range(1, 5):
        client.post(FEEDBACK, json={"content": str(number)})
    pages = [client.get(f"{FEEDBACK}?limit=2&offset={offset}").json()["items"] for offset in (0, 2, 4, 6)]
    assert [[item["content"] for item in page] for page in pages] == [["0", "1"], ["2", "3"], ["4"], []]


def test_feedback_that_is_taken_back_is_gone(client: TestClient) -> None:
    feedback_id = client.post(FEEDBACK, json={"score": 1}).json()["feedback_id"]
    response = client.delete(f"{FEEDBACK}/{feedback_id}")
    assert (response.status_code, response.content) == (204, b"")
    assert client.get(FEEDBACK).json()["items"] == []
    again = client.delete(f"{FEEDBACK}/{feedback_id}")
    assert (again.status_code, again.json()) == (404, {"detail": f"Feedback {feedback_id} not found."})


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"content": ""},
        {"label": "maybe"},
        {"label": "positive", "more": 1},
        {"score": "NaN"},
        {"score": True},
        {"score": False, "content": "x"},
        {"score": 1, "tags": "x"},
        {"content": "x" * 32_769},
        {"content": "x", "user_id": "x" * 1025},
        {"tags": ["x"] * 51},
        {"tags": ["x" * 257]},
        {"content": "x", "feedback_id": "x"},
        {"content": 5},
        [],
        "x",
        None,
    ],
    ids=lambda body: json.dumps(body)[:40],
)
def test_feedback_that_says_nothing_or_too_much_is_422(client: TestClient, body: Any) -> None:
    response = client.post(FEEDBACK, json=body)
    assert response.status_code == 422
    assert response.json()["detail"] == "Validation error"
    assert client.get(FEEDBACK).json()["items"] == []


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"score": 1e999}', b"\xff", b'{"content": ' + b"[" * 100_000, b"1" * 5000]
)
def test_a_body_that_is_no_json_is_refused(client: TestClient, body: bytes) -> None:
    response = client.post(FEEDBACK, content=body, headers={"Content-Type": "application/json"})
    assert 400 <= response.status_code < 500
    assert "detail" in response.json()


def test_a_body_beyond_the_limit_is_not_read(client: TestClient) -> None:
    response = client.post(FEEDBACK, content=b" " * (MAX_BODY + 1), headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()) == (413, {"detail": f"The body is larger than {MAX_BODY} bytes"})


def test_halves_of_surrogate_pairs_do_not_reach_the_store(client: TestClient) -> None:
    body = b'{"content": "a\\ud800b\\u0000", "user_id": "\\udfff", "tags": ["\\ud83d\\ude00"]}'
    response = client.post(FEEDBACK, content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 201
    said = {name: response.json()[name] for name in ("content", "user_id", "tags")}
    assert said == {"content": "a\ufffdb\x00", "user_id": "\ufffd", "tags": ["\U0001f600"]}


# Approvals.


@pytest.mark.parametrize("span_id", [ROOT_ID, SPAN_UUID])
def test_an_approved_output_is_answered_and_can_be_read(client: TestClient, span_id: str) -> None:
    path = f"/traces/{TRACE_UUID}/spans/{span_id}/approval"
    document = {
        "trace_id": TRACE_UUID,
        "span_id": SPAN_UUID,
        "output": {"category": "refund"},
        "accepted": False,
        "user_id": "ann",
        "created_at": "2026-01-01T01:00:00.000000+00:00",
    }
    response = client.put(path, json={"output": {"category": "refund"}, "user_id": "ann"})
    assert (response.status_code, response.json()) == (200, document)
    assert client.get(path).json() == document


def test_the_output_of_a_span_can_be_accepted_as_it_is(client: TestClient) -> None:
    assert client.put(APPROVAL, json={"accept": True}).json()["output"] == {"category": "billing"}
    assert client.get(APPROVAL).json()["accepted"] is True
    answer = client.put(f"/traces/{TRACE_ID}/spans/{CALL_ID}/approval", json={"accept": True}).json()
    assert (answer["output"], answer["accepted"]) == ("Paris.", True)


def test_the_latest_approval_stands(client: TestClient) -> None:
    for output in ("a", ["b"], False, 0, ""):
        client.put(APPROVAL, json={"output": output})
        assert client.get(APPROVAL).json()["output"] == output


def test_an_approval_that_came_with_the_span_is_found_until_there_is_another() -> None:
    client = stored(output="a", attributes={"review.approved_output": "a", "review.user_id": "ann"}).client()
    found = client.get(APPROVAL).json()
    assert (found["output"], found["accepted"], found["user_id"]) == ("a", True, "ann")
    client.put(APPROVAL, json={"output": "b"})
    assert client.get(APPROVAL).json()["output"] == "b"


@pytest.mark.parametrize(
    "body", [{}, {"output": None}, {"accept": False}, {"output": 1, "accept": True}, {"output": 1, "more": 1}, []]
)
def test_an_approval_says_an_output_or_accepts_it(client: TestClient, body: Any) -> None:
    assert client.put(APPROVAL, json=body).status_code == 422
    assert client.get(APPROVAL).status_code == 404


def test_no_output_cannot_be_accepted() -> None:
    response = stored().client().put(APPROVAL, json={"accept": True})
    assert response.status_code == 409
    assert response.json()["detail"].endswith("has no output that could be accepted: give an output.")


def test_an_output_beyond_the_limit_is_413(client: TestClient) -> None:
    response = client.put(APPROVAL, json={"output": "x" * (4 << 20)})
    assert (response.status_code, response.json()) == (413, {"detail": "The output is larger than 4194304 bytes."})


def test_a_span_without_review_is_404(client: TestClient) -> None:
    response = client.get(APPROVAL)
    assert response.status_code == 404
    assert response.json()["detail"].endswith("is not reviewed.")


# Ids.

REQUESTS: list[tuple[str, str, Any]] = [
    ("POST", "/traces/{trace}/feedback", {"label": "positive"}),
    ("POST", "/traces/{trace}/feedback", {"label": "positive", "span_id": "{span}"}),
    ("GET", "/traces/{trace}/feedback", None),
    ("DELETE", "/traces/{trace}/feedback/3c90c3cc-0d44-4b50-8888-8dd25736052a", None),
    ("PUT", "/traces/{trace}/spans/{span}/approval", {"output": 1}),
    ("GET", "/traces/{trace}/spans/{span}/approval", None),
]


def asked(client: TestClient, method: str, path: str, body: Any, trace: str, span: str) -> int:
    sent = json.loads(json.dumps(body).replace("{span}", json.dumps(span)[1:-1]))
    return client.request(method, path.format(trace=trace, span=span), json=sent).status_code


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
def test_a_trace_or_a_span_that_is_not_there_is_404(client: TestClient, method: str, path: str, body: Any) -> None:
    assert asked(client, method, path, body, OTHER_TRACE, ROOT_ID) == 404
    if "{span}" in path or (body and "span_id" in body):
        assert asked(client, method, path, body, TRACE_ID, "0" * 16) == 404


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
@pytest.mark.parametrize("hostile", ["x", "' OR 1=1 --", "%00", "{x:String}", "9" * 3000, "%ED%A0%80", "\U0001f600"])
def test_a_hostile_id_is_refused(client: TestClient, method: str, path: str, body: Any, hostile: str) -> None:
    assert asked(client, method, path, body, hostile, ROOT_ID) in (404, 422)
    if "{span}" in path or (body and "span_id" in body):
        assert asked(client, method, path, body, TRACE_ID, hostile) == 404


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "offset=-1", "offset=10001", "limit=x", "offset=1e3"])
def test_a_page_has_bounds(client: TestClient, query: str) -> None:
    assert client.get(f"{FEEDBACK}?{query}").status_code == 422
