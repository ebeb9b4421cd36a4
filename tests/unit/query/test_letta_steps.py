"""Letta's API over HTTP: which steps there are, under which ids, cursors, filters, errors."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from collector.auth import Keys, Scope
from collector.errors import Permanent, Retryable, Unauthorized
from collector.project import project_uuid
from collector.query.api import Backend
from collector.query.app import create_app
from collector.query.letta.parameters import STEP_PATTERN, is_step_id
from collector.query.reader import Reference
from collector.settings_attributes import Attributes
from exporters.clickhouse.span_rows import span_uuid
from tests.unit.query.rows import START
from tests.unit.query.steps import SECOND, StoredSteps, call_row, client_of, listed, named, shown, step_of

A, B = (f"step-{digit * 8}-{digit * 4}-4{digit * 3}-8{digit * 3}-{digit * 12}" for digit in "ab")
MISSING = "step-00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize("digit", "0123456789abcdef")
def test_every_span_has_an_id_that_a_step_may_have(digit: str) -> None:
    assert is_step_id(f"step-{span_uuid(digit * 32, digit * 16)}")
    assert re.fullmatch(STEP_PATTERN, f"step-{span_uuid(digit * 32, digit * 16)}")


@pytest.mark.parametrize("end", ["\n", " ", "0", "-"])
def test_nothing_stands_behind_an_id(end: str) -> None:
    assert not is_step_id(A + end)


def test_a_step_is_found_by_the_id_of_its_span_and_by_the_one_that_it_names() -> None:
    row = named(A, 1)
    client = client_of(StoredSteps(row, call_row(2)))
    for step_id in (A, shown(row)):
        assert client.get(f"/letta/v1/steps/{step_id}").json()["id"] == A


def test_a_name_that_is_no_id_is_none() -> None:
    row = named("my step", 1)
    assert step_of(row)["id"] == shown(row)


def test_of_calls_that_name_one_step_it_is_the_latest_and_the_others_have_ids_of_their_own() -> None:
    rows = [named(A, 1), named(A, 2), named(B, 3), named(A, 4)]
    store = StoredSteps(*rows)
    assert listed(store) == [A, B, shown(rows[1]), shown(rows[0])]
    for row in rows[:2]:
        assert client_of(store).get(f"/letta/v1/steps/{shown(row)}").json()["id"] == shown(row)


def test_a_list_asks_once_more_for_all_named_steps_together() -> None:
    store = StoredSteps(named(A, 1), named(B, 2), call_row(3))
    assert listed(store) == [shown(store.rows[2]), B, A]
    assert [filters.references for filters in store.asked] == [
        (),
        (Reference("letta.step", B), Reference("letta.step", A)),
    ]


@pytest.mark.parametrize("kind", ["AGENT", "TOOL", "CHAIN", "EMBEDDING", "OTHER"])
def test_only_model_calls_are_steps(kind: str) -> None:
    row = named(A, 1, kind=kind)
    store = StoredSteps(row)
    assert listed(store) == []
    for step_id in (A, shown(row)):
        assert client_of(store).get(f"/letta/v1/steps/{step_id}/trace").json() is None
        assert client_of(store).get(f"/letta/v1/steps/{step_id}").status_code == 404


def test_a_call_that_another_one_repeats_is_listed_once_and_found_by_both_ids() -> None:
    wrapper, call = call_row(1, counts=False), call_row(2)
    store = StoredSteps(wrapper, call)
    assert listed(store) == [shown(call)]
    assert client_of(store).get(f"/letta/v1/steps/{shown(wrapper)}").status_code == 200


def test_a_call_that_reports_no_usage_is_listed() -> None:
    row = call_row(1, counts=False, input_tokens=None, output_tokens=None, status_code="ERROR")
    assert listed(StoredSteps(row)) == [shown(row)]


@pytest.mark.parametrize("path", ["/letta/v1/steps", "/letta/v1/steps/"])
def test_the_list_is_there_with_and_without_its_slash(path: str) -> None:
    response = client_of(StoredSteps(call_row(1))).get(path, follow_redirects=False)
    assert response.status_code == 200
    assert len(response.json()) == 1


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 2, 3, 5, 50])
def test_pages_hold_every_step_once_in_order_and_end_with_an_empty_one(limit: int, order: str) -> None:
    rows = [call_row(number, trace=number % 3) for number in range(1, 6)]
    rows += [named(A, 6), named(A, 7), call_row(8, start_time=START + SECOND)]  # one name twice, one start twice
    store = StoredSteps(*rows)
    whole = listed(store, f"order={order}&limit=50")
    assert len(set(whole)) == len(rows)
    walked: list[str] = []
    while page := listed(store, f"order={order}&limit={limit}" + (f"&after={walked[-1]}" if walked else "")):
        assert len(page) <= limit
        walked += page
    assert walked == whole


def test_a_page_before_a_step_ends_there() -> None:
    store = StoredSteps(*[call_row(number) for number in range(1, 6)])
    whole = listed(store)
    assert listed(store, f"limit=2&before={whole[4]}") == whole[2:4]
    assert listed(store, f"limit=2&before={whole[2]}") == whole[:2]
    assert listed(store, f"before={whole[0]}") == []
    assert listed(store, f"after={whole[0]}&before={whole[3]}") == whole[1:3]


def test_a_cursor_that_names_no_step_is_404() -> None:
    response = client_of(StoredSteps(call_row(1))).get(f"/letta/v1/steps/?after={MISSING}")
    assert (response.status_code, response.json()) == (404, {"detail": f"Step {MISSING} not found"})


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("model=gpt-4o", [3, 2, 1]),
        ("model=gpt-4o-2024-08-06", [3, 2, 1]),
        ("model=gpt-4", []),
        ("model=", [3, 2, 1]),
        (f"trace_ids={2:032x}"[:-32] + f"{2:032x}"[::-1], [2]),
        ("trace_ids=" + f"{2:032x}"[::-1] + "&trace_ids=nonsense&trace_ids=" + f"{3:032x}"[::-1], [3, 2]),
        ("trace_ids=20000000-0000-0000-0000-000000000000", [2]),
        ("trace_ids=nonsense", []),
        ("trace_ids=", [3, 2, 1]),
        ("tags=beta", [1]),
        ("tags=beta&tags=paid", [2, 1]),
        ("agent_id=agent-1", [2]),
        ("agent_id=agent-1%27%20OR%201=1", []),
        ("project_id=default", [3, 2, 1]),
        (f"project_id={project_uuid('default')}", [3, 2, 1]),
        ("project_id=other", []),
        ("start_date=2026-01-01T00:00:02.123456Z", [3, 2]),
        ("start_date=2026-01-01T01:00:03%2B01:00", [3]),
        ("end_date=2026-01-01T00:00:02Z", [1]),
        ("order=asc", [1, 2, 3]),
        ("has_feedback=false", [3, 2, 1]),
        ("has_feedback=true", []),
        ("feedback=positive", []),
    ],
)
def test_filters(query: str, numbers: list[int]) -> None:
    rows = {
        1: call_row(1, tags=["beta"]),
        2: call_row(2, trace=2, tags=["paid"], attributes={"gen_ai.agent.id": "agent-1"}),
        3: call_row(3, trace=3),
    }
    assert listed(StoredSteps(*rows.values()), query) == [shown(rows[number]) for number in numbers]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=201", "limit=x", "order=up", "order_by=model", "feedback=neutral", "has_feedback=maybe",
        "start_date=yesterday", "end_date=9999-01-01", "after=step-1", "before=1%20OR%201=1", "after=", "after=%00",
        "&".join(["tags=x"] * 51), "&".join(["trace_ids=x"] * 101), "model=" + "m" * 1025,
        f"after={A}%0A",
    ],
)  # fmt: skip
def test_parameters_that_are_not_valid_are_422_and_never_reach_the_store(query: str) -> None:
    store = StoredSteps(call_row(1))
    response = client_of(store).get(f"/letta/v1/steps/?{query}")
    assert response.status_code == 422, response.text
    assert response.json().keys() == {"trace_id", "detail"}
    assert store.asked == []


@pytest.mark.parametrize("part", ["", "/trace", "/metrics", "/messages"])
@pytest.mark.parametrize("step_id", ["step-1", "1", "%00", "' OR 1=1 --", A.upper(), "9" * 5000, "step-" + "é" * 36])
def test_an_id_that_is_none_is_422_in_lettas_form(step_id: str, part: str) -> None:
    store = StoredSteps(call_row(1))
    response = client_of(store).get(f"/letta/v1/steps/{step_id}{part}")
    assert response.status_code == 422
    assert response.json() == {
        "trace_id": "",
        "detail": "[{'loc': ('path', 'step_id'), 'msg': \"String should match pattern 'step-{uuid4}'\"}]",
        "examples": ["step-123e4567-e89b-42d3-8456-426614174000"],
    }
    assert store.asked == []


@pytest.mark.parametrize("path", ["/v1/steps/a/b/c", "/v1/runs/", "/v2/steps/", f"/v1/steps/{A}/feedback"])
def test_what_is_not_there_is_told_in_lettas_form(path: str) -> None:
    response = client_of(StoredSteps()).get(f"/letta{path}")
    assert response.status_code in (404, 405)
    assert response.json().keys() == {"detail"}


@pytest.mark.parametrize("part", ["", "/metrics", "/messages"])
def test_a_step_that_is_not_there_is_404(part: str) -> None:
    response = client_of(StoredSteps(call_row(1))).get(f"/letta/v1/steps/{MISSING}{part}")
    assert (response.status_code, response.json()) == (404, {"detail": f"Step {MISSING} not found"})


def test_a_trace_that_is_not_there_is_null() -> None:
    response = client_of(StoredSteps(call_row(1))).get(f"/letta/v1/steps/{MISSING}/trace")
    assert (response.status_code, response.content) == (200, b"null")
    assert response.headers["content-type"] == "application/json"


def test_a_step_of_another_project_is_not_there() -> None:
    row = call_row(1)
    client = client_of(StoredSteps(row, project="mine"), project="yours")
    assert client.get("/letta/v1/steps/").json() == []
    assert client.get(f"/letta/v1/steps/{shown(row)}").status_code == 404
    assert client.get(f"/letta/v1/steps/{shown(row)}/trace").json() is None
    assert client.patch(f"/letta/v1/steps/{shown(row)}/feedback", json={"feedback": "positive"}).status_code == 404


@pytest.mark.parametrize(
    ("error", "status", "detail"),
    [
        (Retryable("busy", after=2.0), 503, "busy"),
        (Permanent("too expensive"), 422, "too expensive"),
        (RuntimeError("secret"), 500, "An unknown error occurred"),
    ],
)
def test_failures_of_the_store(error: Exception, status: int, detail: str) -> None:
    store = StoredSteps()

    def fails(*_: Any) -> Any:
        raise error

    store.spans = fails  # type: ignore[method-assign]
    response = client_of(store).get("/letta/v1/steps/")
    assert (response.status_code, response.json()) == (status, {"detail": detail})


class NoKey(Keys):
    """Knows no key."""

    def project(self, key: str | None, scope: Scope, *, named: str | None = None) -> str:
        raise Unauthorized("the key is not known")


def test_without_a_known_key_all_but_health_is_401_in_lettas_form() -> None:
    row = call_row(1)
    store = StoredSteps(row)
    app = create_app(Backend(store, store, NoKey(), Attributes()), version="1", ready=lambda: None)  # type: ignore[arg-type]
    client = TestClient(app)
    base = f"/letta/v1/steps/{shown(row)}"
    answers = [client.get(f"{base}{part}") for part in ("", "/trace", "/metrics", "/messages")]
    answers += [client.get("/letta/v1/steps/"), client.patch(f"{base}/feedback", json={})]
    for response in answers:
        assert (response.status_code, response.json()) == (401, {"detail": "Unauthorized"})
    assert store.asked == []
    assert client.get("/letta/v1/health/").status_code == 200


@pytest.mark.parametrize("path", ["/letta/v1/health", "/letta/v1/health/"])
def test_health(path: str) -> None:
    assert client_of(StoredSteps()).get(path).json() == {"version": "9.9.9", "status": "ok"}
