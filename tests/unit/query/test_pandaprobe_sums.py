"""Sums of the PandaProbe API: sessions, users and analytics, from parameters to documents."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from collector.errors import Permanent, Retryable
from collector.query.pandaprobe.filters import MAX_OFFSET
from collector.query.reader import SessionFilters
from tests.unit.query.rows import (
    TRACE_UUID,
    StoredTraces,
    application,
    bare_span_row,
    model_call_row,
    period_row,
    running_session_row,
    session_row,
    trace_row,
    user_row,
)

BETWEEN = {"started_after": "2026-01-01T00:00:00Z", "started_before": "2026-01-02T00:00:00Z"}


def stored(**changes: Any) -> StoredTraces:
    answer = (trace_row(), [bare_span_row(), model_call_row()])
    return StoredTraces(
        **{"answer": answer, "session": session_row(), "user": user_row(), "period": period_row(), **changes}
    )


def client_of(reader: StoredTraces) -> TestClient:
    return TestClient(application(reader, project="shop"), raise_server_exceptions=False)


# --- sessions ---------------------------------------------------------------------------------------------------------


def test_a_session_is_summed_up() -> None:
    page = client_of(stored()).get("/sessions").json()
    assert (page["total"], page["limit"], page["offset"]) == (1, 50, 0)
    assert page["items"] == [
        {
            "session_id": "session-1",
            "trace_count": 2,
            "first_trace_at": "2026-01-01T00:00:00.123456+00:00",
            "last_trace_at": "2026-01-01T00:00:09.123456+00:00",
            "total_latency_ms": 3500.0,
            "has_error": True,
            "user_id": "user-1",
            "tags": ["beta", "paid"],
            "total_span_count": 5,
            "total_tokens": 120,
            "total_cost": 0.00045,
        }
    ]


def test_what_a_session_lacks_is_null_and_what_is_not_priced_is_0() -> None:
    [item] = client_of(stored(session=running_session_row())).get("/sessions").json()["items"]
    assert [item[name] for name in ("last_trace_at", "total_latency_ms", "user_id")] == [None] * 3
    assert [item[name] for name in ("has_error", "tags", "total_tokens", "total_cost")] == [False, [], 0, 0.0]


def test_a_session_is_shown_with_its_traces_as_they_are_shown_alone() -> None:
    client = client_of(stored())
    shown = client.get("/sessions/session-1").json()
    [summary] = client.get("/sessions").json()["items"]
    assert shown == {**summary, "traces": [client.get(f"/traces/{TRACE_UUID}").json()]}


def test_sessions_without_parameters_are_the_latest_fifty() -> None:
    reader = stored()
    client_of(reader).get("/sessions?user_id=&query=&tags=")
    assert reader.asked == [("shop", SessionFilters(limit=50))]


def test_every_parameter_of_sessions_reaches_the_reader() -> None:
    reader = stored()
    parameters = (
        "limit=200&offset=1000000&user_id=u&has_error=true&tags=a&tags=b&query=50%25_x&sort_by=cost&sort_order=asc"
    )
    times = "&started_after=2026-01-01T00:00:00.123456%2B01:00&started_before=2026-01-02T00:00:00Z"
    assert client_of(reader).get(f"/sessions?{parameters}{times}").status_code == 200
    assert reader.asked == [
        (
            "shop",
            SessionFilters(
                limit=200,
                offset=1_000_000,
                user_id="u",
                has_error=True,
                tags=("a", "b"),
                query="50%_x",
                started_after_ns=1_767_222_000_123_456_000,
                started_before_ns=1_767_312_000_000_000_000,
                sort_by="cost",
                descending=False,
            ),
        )
    ]


def test_of_a_session_the_first_200_traces_are_shown_unless_others_are_asked_for() -> None:
    reader = stored()
    client_of(reader).get("/sessions/session-1")
    client_of(reader).get("/sessions/session-1?limit=1000&offset=3")
    assert reader.asked == [("shop", "session-1", 200, 0), ("shop", "session-1", 1000, 3)]


@pytest.mark.parametrize(
    "session_id", ["a b", "a/b", "/", "' OR 1=1 --", "{x:String}", "日本 😀", "analytics", "%", "x?y#z", "\0"]
)
def test_a_session_is_found_whatever_its_id_looks_like(session_id: str) -> None:
    reader = stored(session=session_row(session_id=session_id))
    response = client_of(reader).get(f"/sessions/{quote(session_id, safe='')}")
    assert response.status_code == 200, response.text
    assert response.json()["session_id"] == session_id
    assert reader.asked == [("shop", session_id, 200, 0)]


def test_a_session_that_is_not_there_is_404_and_named() -> None:
    response = client_of(stored()).get("/sessions/other")
    assert (response.status_code, response.json()) == (404, {"detail": "Session 'other' not found."})


# --- users ------------------------------------------------------------------------------------------------------------


def test_users_are_summed_up() -> None:
    reader = stored()
    page = client_of(reader).get("/traces/users?limit=10&offset=20").json()
    assert (page["total"], page["limit"], page["offset"]) == (1, 10, 20)
    assert page["items"] == [
        {
            "user_id": "user-1",
            "trace_count": 3,
            "first_seen": "2026-01-01T00:00:00.123456+00:00",
            "last_seen": "2026-01-01T00:00:05.123456+00:00",
            "error_count": 1,
        }
    ]
    assert reader.asked == [("shop", 10, 20)]


# --- analytics --------------------------------------------------------------------------------------------------------

PERIOD = "2026-01-01T00:00:00.000000+00:00"
TRACES = {
    "bucket": PERIOD,
    "trace_count": 4,
    "error_count": 1,
    "avg_latency_ms": 2500.0,
    "p50_latency_ms": 2000.0,
    "p90_latency_ms": 4000.0,
    "p99_latency_ms": 5000.0,
}
USAGE = {
    "bucket": PERIOD,
    "total_tokens": 120,
    "prompt_tokens": 100,
    "completion_tokens": 20,
    "total_cost": 0.00045,
}
MODEL = {"model": "gpt-4o", "call_count": 7, "total_tokens": 120, "total_cost": 0.00045}


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("volume", TRACES),
        ("errors", TRACES),
        ("latency", TRACES),
        ("cost", USAGE),
        ("tokens", USAGE),
        ("models", MODEL),
    ],
)
def test_every_metric_has_its_shape(metric: str, expected: dict[str, Any]) -> None:
    reader = stored()
    response = client_of(reader).get("/traces/analytics", params={"metric": metric, "granularity": "hour", **BETWEEN})
    assert response.json() == [expected]
    assert reader.asked == [("shop", metric, "hour", 1_767_225_600 * 10**9, 1_767_312_000 * 10**9)]


def test_analytics_are_the_volume_by_day_unless_others_are_asked_for() -> None:
    reader = stored(period=None)
    assert client_of(reader).get("/traces/analytics", params=BETWEEN).json() == []
    assert reader.asked[0][1:3] == ("volume", "day")


def test_the_latency_of_traces_that_have_not_ended_is_null() -> None:
    unknown = dict.fromkeys(("latency_average", "latency_p50", "latency_p90", "latency_p99"), float("nan"))
    [bucket] = client_of(stored(period=period_row(**unknown))).get("/traces/analytics", params=BETWEEN).json()
    assert [value for name, value in bucket.items() if "latency" in name] == [None] * 4
    unknown = dict.fromkeys(unknown, None)
    [bucket] = client_of(stored(period=period_row(**unknown))).get("/traces/analytics", params=BETWEEN).json()
    assert [value for name, value in bucket.items() if "latency" in name] == [None] * 4


@pytest.mark.parametrize("missing", ["started_after", "started_before"])
def test_analytics_without_both_times_are_422(missing: str) -> None:
    parameters = {name: value for name, value in BETWEEN.items() if name != missing}
    response = client_of(stored()).get("/traces/analytics", params=parameters)
    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == [f"query -> {missing}"]


# --- bounds, hostile values, failures ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "parameter", "value"),
    [
        ("/sessions", "limit", "0"),
        ("/sessions", "limit", "201"),
        ("/sessions", "offset", "-1"),
        ("/sessions", "offset", str(MAX_OFFSET + 1)),
        ("/sessions", "has_error", "perhaps"),
        ("/sessions", "sort_by", "started_at"),
        ("/sessions", "sort_by", "count(); DROP TABLE traces"),
        ("/sessions", "sort_order", "up"),
        ("/sessions", "query", "x" * 1025),
        ("/sessions", "started_after", "yesterday"),
        ("/sessions/session-1", "limit", "0"),
        ("/sessions/session-1", "limit", "1001"),
        ("/sessions/session-1", "offset", str(MAX_OFFSET + 1)),
        ("/traces/users", "limit", "201"),
        ("/traces/users", "offset", "-1"),
        ("/traces/analytics", "metric", "spans"),
        ("/traces/analytics", "granularity", "minute"),
        ("/traces/analytics", "granularity", "hour; DROP TABLE traces"),
        ("/traces/analytics", "started_after", "9999-12-31T23:59:59Z"),
    ],
)
def test_a_parameter_out_of_bounds_is_422_and_named(path: str, parameter: str, value: str) -> None:
    reader = stored()
    response = client_of(reader).get(path, params={**BETWEEN, parameter: value})
    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == [f"query -> {parameter}"]
    assert reader.asked == []


@pytest.mark.parametrize("session_id", ["", "x" * 1025])
def test_an_id_that_no_session_has_is_422(session_id: str) -> None:
    reader = stored()
    response = client_of(reader).get(f"/sessions/{session_id}")
    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == ["path -> session_id"]
    assert reader.asked == []


@pytest.mark.parametrize("path", ["/sessions", "/sessions/session-1", "/traces/users", "/traces/analytics"])
@pytest.mark.parametrize(("error", "status"), [(Retryable("Not now."), 503), (Permanent("Too much."), 422)])
def test_what_the_store_says_is_told(path: str, error: Exception, status: int) -> None:
    response = client_of(stored(error=error)).get(path, params=BETWEEN)
    assert (response.status_code, response.json()) == (status, {"detail": str(error)})


def test_a_sum_beyond_64_bits_is_exact() -> None:
    large = 2**63 - 1
    reader = stored(session=session_row(input_tokens=large, output_tokens=large))
    assert client_of(reader).get("/sessions").json()["items"][0]["total_tokens"] == 2 * large
