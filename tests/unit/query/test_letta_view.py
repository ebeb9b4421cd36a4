"""What Letta's API shows of a step, and what people think of it."""

from __future__ import annotations

from typing import Any

import pytest

from collector.project import project_uuid
from tests.unit.query.rows import START, Row
from tests.unit.query.steps import SECOND, StoredSteps, call_row, client_of, listed, shown, step_of


def test_what_a_step_shows() -> None:
    row = call_row(1, tags=["beta"], attributes={"gen_ai.agent.id": "agent-1", "letta.run_id": "run-1"})
    step = step_of(row)
    assert {key: value for key, value in step.items() if value not in (None, [])} == {
        "id": shown(row),
        "agent_id": "agent-1",
        "cache_write_tokens": 0,
        "cached_input_tokens": 60,
        "completion_tokens": 20,
        "completion_tokens_details": {"reasoning_tokens": 5},
        "model": "gpt-4o",
        "model_handle": "openai/gpt-4o",
        "project_id": project_uuid("default"),
        "prompt_tokens": 100,
        "prompt_tokens_details": {"cached_tokens": 60, "cache_creation_tokens": 0},
        "provider_name": "openai",
        "reasoning_tokens": 5,
        "run_id": "run-1",
        "status": "success",
        "stop_reason": "end_turn",
        "tags": ["beta"],
        "total_tokens": 120,
        "trace_id": row["trace_id"],
    }


@pytest.mark.parametrize(
    ("changes", "status", "stop_reason"),
    [
        ({}, "success", "end_turn"),
        ({"finish_reasons": ["end_turn"]}, "success", "end_turn"),
        ({"finish_reasons": ["STOP"]}, "success", "end_turn"),
        ({"finish_reasons": ["length"]}, "success", "max_tokens_exceeded"),
        ({"finish_reasons": ["MAX_TOKENS"]}, "success", "max_tokens_exceeded"),
        ({"finish_reasons": ["tool_calls"]}, "success", None),
        ({"finish_reasons": ["content_filter"]}, "success", None),
        ({"finish_reasons": ["MALFORMED_FUNCTION_CALL"]}, "success", "invalid_tool_call"),
        ({"finish_reasons": []}, "success", None),
        ({"finish_reasons": [], "end_time": None, "latency_ns": None}, "pending", None),
        ({"status_code": "ERROR", "error_type": "NotFoundError"}, "failed", "llm_api_error"),
        ({"status_code": "ERROR", "error_type": "asyncio.exceptions.CancelledError"}, "cancelled", "cancelled"),
    ],
)
def test_how_a_step_ended(changes: Row, status: str, stop_reason: str | None) -> None:
    step = step_of(call_row(1, **changes))
    assert (step["status"], step["stop_reason"]) == (status, stop_reason)


def test_a_failed_step_tells_its_error() -> None:
    raised = {"name": "exception", "time": START, "attributes": {"exception.stacktrace": "Traceback: ..."}}
    step = step_of(call_row(1, status_code="ERROR", error="no such model", error_type="NotFoundError", events=[raised]))
    assert step["error_type"] == "NotFoundError"
    assert step["error_data"] == {"message": "no such model", "traceback": "Traceback: ..."}


def test_what_was_not_reported_is_null() -> None:
    names = ("input", "output", "cache_read", "cache_write", "reasoning")
    step = step_of(call_row(1, **dict.fromkeys(f"{name}_tokens" for name in names), provider="", request_model=""))
    for key in (
        "prompt_tokens",
        "completion_tokens",
        "total_tokens",
        "prompt_tokens_details",
        "completion_tokens_details",
    ):
        assert step[key] is None
    assert (step["model"], step["model_handle"], step["provider_name"]) == ("gpt-4o-2024-08-06", None, None)


def test_the_metrics_of_a_step() -> None:
    row = call_row(1)
    metrics = client_of(StoredSteps(row)).get(f"/letta/v1/steps/{shown(row)}/metrics").json()
    assert {key: value for key, value in metrics.items() if value is not None} == {
        "id": shown(row),
        "llm_request_ns": 800_000_000,
        "llm_request_start_ns": START + SECOND,
        "project_id": project_uuid("default"),
        "step_ns": 800_000_000,
        "step_start_ns": START + SECOND,
    }


def test_a_trace_says_in_body_and_header_where_its_bodies_come_from() -> None:
    row = call_row(1, attributes={"letta.request_json": '{"model": "m"}'})
    response = client_of(StoredSteps(row)).get(f"/letta/v1/steps/{shown(row)}/trace")
    trace = response.json()
    assert response.headers["x-spanledger-bodies"] == "request=reported, response=rebuilt"
    assert trace["source"] == "spanledger: request=reported, response=rebuilt"
    assert trace["request_json"] == {"model": "m"}
    assert trace["response_json"]["choices"][0]["message"]["content"] == "Paris."
    assert trace["id"] == f"provider_trace-{row['span_uuid']}"
    assert (trace["step_id"], trace["latency_ms"]) == (shown(row), 800)
    assert trace["created_at"] == trace["updated_at"] == "2026-01-01T00:00:01.923456Z"


def patched(store: StoredSteps, row: Row, body: Any) -> tuple[str | None, list[str]]:
    response = client_of(store).patch(f"/letta/v1/steps/{shown(row)}/feedback", json=body)
    assert response.status_code == 200, response.text
    return response.json()["feedback"], response.json()["tags"]


def test_feedback_is_given_changed_and_taken_back() -> None:
    row = call_row(1, tags=["beta"])
    store = StoredSteps(row)
    assert patched(store, row, {}) == (None, ["beta"])
    assert store.given == {}
    assert patched(store, row, {"feedback": "positive"}) == ("positive", ["beta"])
    assert patched(store, row, {"tags": ["good", "good"]}) == ("positive", ["beta", "good"])
    assert patched(store, row, {"feedback": "negative"}) == ("negative", ["beta", "good"])
    assert listed(store, "feedback=negative") == listed(store, "tags=good") == [shown(row)]
    assert listed(store, "feedback=positive") == []
    assert len(store.given) == 1
    assert patched(store, row, {"feedback": None}) == (None, ["beta", "good"])
    assert patched(store, row, {"tags": None}) == (None, ["beta"])
    assert store.given == {}


def test_feedback_names_its_api_and_its_span_and_is_always_the_same_one() -> None:
    row = call_row(1)
    store = StoredSteps(row)
    patched(store, row, {"feedback": "positive"})
    (first,) = store.given.values()
    patched(store, row, {"feedback": "negative"})
    (second,) = store.given.values()
    assert second == {**first, "label": "negative"}
    assert (first["source"], first["trace_id"], first["span_id"]) == ("letta", row["trace_id"], row["span_id"])


def test_a_step_shows_what_others_think_until_this_api_says_something() -> None:
    row = call_row(1)
    store = StoredSteps(row)
    base = {"trace_id": row["trace_id"], "user_id": "", "score": None, "content": "", "source": "native"}
    store.given["other"] = {
        **base,
        "feedback_id": "other",
        "span_id": "f" * 16,
        "label": "positive",
        "tags": ["x"],
        "created_at": 1,
    }
    assert patched(store, row, {}) == (None, [])
    for number, label in enumerate(["positive", "negative"]):
        given = {
            "feedback_id": label,
            "span_id": row["span_id"],
            "label": label,
            "tags": [label],
            "created_at": 2 + number,
        }
        store.given[label] = base | given
    assert patched(store, row, {}) == ("negative", ["positive", "negative"])
    assert patched(store, row, {"feedback": "positive"})[0] == "positive"
    assert patched(store, row, {"feedback": None})[0] == "negative"


@pytest.mark.parametrize(
    "body",
    [{"feedback": "neutral"}, {"feedback": ""}, {"tags": "x"}, {"tags": ["x"] * 51}, {"tags": [5]}, [], "x", None],
)
def test_feedback_that_is_not_valid_is_422(body: Any) -> None:
    row = call_row(1)
    store = StoredSteps(row)
    response = client_of(store).patch(f"/letta/v1/steps/{shown(row)}/feedback", json=body)
    assert response.status_code == 422
    assert store.given == {}
