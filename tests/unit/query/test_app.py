"""The read API over HTTP: routes, parameters, errors and headers."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from collector.errors import Permanent, Retryable
from collector.query.pandaprobe.filters import MAX_OFFSET
from collector.query.reader import TraceFilters
from tests.unit.query.rows import (
    TRACE_ID,
    TRACE_UUID,
    StoredTraces,
    application,
    bare_span_row,
    model_call_row,
    trace_row,
)

NO_FILTERS = TraceFilters(
    limit=50,
    offset=0,
    session_id=None,
    status=None,
    user_id=None,
    tags=(),
    name=None,
    started_after_ns=None,
    started_before_ns=None,
    sort_by="started_at",
    descending=True,
)


def stored() -> StoredTraces:
    return StoredTraces(answer=(trace_row(), [bare_span_row(), model_call_row()]))


def client_of(reader: StoredTraces, ready: Callable[[], str | None] = lambda: None) -> TestClient:
    return TestClient(application(reader, project="shop", ready=ready), raise_server_exceptions=False)


def asked_filters(query: str) -> TraceFilters:
    """Return what the reader was asked for by this query string."""
    reader = stored()
    response = client_of(reader).get(f"/traces?{query}")
    assert response.status_code == 200, response.text
    [(project, filters)] = reader.asked
    assert project == "shop"
    assert isinstance(filters, TraceFilters)
    return filters


@pytest.mark.parametrize("trace_id", [TRACE_UUID, TRACE_ID, TRACE_UUID.upper(), TRACE_ID.upper()])
def test_a_trace_is_found_by_its_id_in_every_form(trace_id: str) -> None:
    reader = stored()
    response = client_of(reader).get(f"/traces/{trace_id}")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json()["trace_id"] == TRACE_UUID
    assert reader.asked == [("shop", TRACE_ID)]


def test_an_unknown_id_is_404_and_named_as_a_uuid() -> None:
    response = client_of(stored()).get(f"/traces/{'A' * 32}")
    assert response.status_code == 404
    assert response.json() == {"detail": "Trace aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa not found."}


@pytest.mark.parametrize("trace_id", ["x", "a" * 31, "a" * 33, "g" * 32, "%00", "' OR 1=1 --", "%ED%A0%80", "9" * 5000])
def test_an_id_that_is_none_is_422_and_never_reaches_the_store(trace_id: str) -> None:
    reader = stored()
    response = client_of(reader).get(f"/traces/{trace_id}")
    assert response.status_code == 422
    body = response.json()
    assert body["detail"] == "Validation error"
    [error] = body["errors"]
    assert error["field"] == "path -> trace_id"
    assert error["message"].startswith("Input should be a valid UUID")
    assert reader.asked == []


def test_a_list_without_parameters_is_the_newest_fifty() -> None:
    assert asked_filters("") == NO_FILTERS


def test_a_list_says_where_in_the_whole_it_is() -> None:
    body = client_of(stored()).get("/traces?limit=10&offset=0").json()
    assert (body["total"], body["limit"], body["offset"]) == (1, 10, 0)
    assert [item["trace_id"] for item in body["items"]] == [TRACE_UUID]
    assert client_of(StoredTraces()).get("/traces").json() == {"items": [], "total": 0, "limit": 50, "offset": 0}


def test_every_parameter_reaches_the_reader() -> None:
    filters = asked_filters(
        "limit=200&offset=1000000&session_id=s&status=ERROR&user_id=u&tags=a&tags=b&name=50%25_x"
        "&started_after=2026-01-01T00:00:00.123456%2B01:00&started_before=2026-01-02T00:00:00Z"
        "&sort_by=latency&sort_order=asc"
    )
    assert filters == TraceFilters(
        limit=200,
        offset=1_000_000,
        session_id="s",
        status="ERROR",
        user_id="u",
        tags=("a", "b"),
        name="50%_x",
        started_after_ns=1_767_222_000_123_456_000,
        started_before_ns=1_767_312_000_000_000_000,
        sort_by="latency",
        descending=False,
    )


@pytest.mark.parametrize(
    "written", ["2026-01-01T00:00:00", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", "2026-01-01 00:00"]
)
def test_a_time_means_utc_unless_it_says_otherwise_even_with_its_plus_unencoded(written: str) -> None:
    assert asked_filters(f"started_after={written}").started_after_ns == 1_767_225_600_000_000_000


def test_empty_parameters_filter_nothing() -> None:
    assert asked_filters("session_id=&user_id=&name=&tags=") == NO_FILTERS


HOSTILE = [
    "' OR 1=1 --",
    "\\'",
    "`",
    "{x:String}",
    "\u02bc\u2019",
    ") UNION ALL SELECT * FROM file('/etc/passwd')",
    "\0",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_reaches_the_reader_as_text_or_not_at_all(text: str) -> None:
    reader = stored()
    client = client_of(reader)
    parameters = {"session_id": text, "user_id": text, "name": text, "tags": text}
    assert client.get("/traces", params=parameters).status_code == 200
    [(_, filters)] = reader.asked
    assert isinstance(filters, TraceFilters)
    assert (filters.session_id, filters.user_id, filters.name, filters.tags) == (text, text, text, (text,))
    for closed in ("sort_by", "sort_order", "status", "limit", "offset", "started_after", "started_before"):
        assert client.get("/traces", params={closed: text}).status_code == 422
    assert len(reader.asked) == 1


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("limit", "0"),
        ("limit", "201"),
        ("limit", "1000000000"),
        ("limit", "9" * 5000),
        ("limit", "ten"),
        ("offset", "-1"),
        ("offset", str(MAX_OFFSET + 1)),
        ("status", "completed"),
        ("sort_by", "cost"),
        ("sort_order", "up"),
        ("name", "x" * 1025),
        ("started_after", "yesterday"),
        ("started_after", "0001-01-01T00:00:00+14:00"),
        ("started_before", "9999-12-31T23:59:59-14:00"),
        ("started_before", "2262-01-01T00:00:00Z"),
    ],
)
def test_a_parameter_out_of_bounds_is_422_and_named(parameter: str, value: str) -> None:
    reader = stored()
    response = client_of(reader).get("/traces", params={parameter: value})
    assert response.status_code == 422
    assert response.json()["detail"] == "Validation error"
    [error] = response.json()["errors"]
    assert error["field"] == f"query -> {parameter}"
    assert error["message"]
    assert not error["message"].startswith("Value error")
    assert reader.asked == []


def test_the_list_of_errors_is_bounded() -> None:
    response = client_of(stored()).get("/traces", params={"tags": ["x" * 1025] * 50})
    assert response.status_code == 422
    assert len(response.json()["errors"]) == 20


@pytest.mark.parametrize("path", [f"/traces/{TRACE_ID}", "/traces"])
def test_a_store_that_cannot_answer_now_is_503_with_the_time_to_wait(path: str) -> None:
    response = client_of(StoredTraces(error=Retryable("The store is starting.", after=2.1))).get(path)
    assert response.status_code == 503
    assert response.headers["retry-after"] in {"2", "3", "4"}
    assert response.json() == {"detail": "The store is starting."}


@pytest.mark.parametrize("path", [f"/traces/{TRACE_ID}", "/traces"])
def test_a_query_that_costs_too_much_is_422_with_its_sentence(path: str) -> None:
    response = client_of(StoredTraces(error=Permanent("The query would read too many rows."))).get(path)
    assert response.status_code == 422
    assert response.json() == {"detail": "The query would read too many rows."}


@pytest.mark.parametrize("base", ["", "/pandaprobe"])
@pytest.mark.parametrize("error", [RuntimeError("secret"), RecursionError("secret"), MemoryError("secret")])
def test_the_unexpected_is_500_without_internals_and_logged(
    error: Exception, base: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = client_of(StoredTraces(error=error))
    with caplog.at_level(logging.ERROR):
        response = client.get(f"{base}/traces?x=%0Aforged", headers={"X-Request-ID": "r-1"})
    assert response.status_code == 500
    assert response.json() == {"detail": "Internal error"}
    assert response.headers["x-request-id"] == "r-1"
    assert response.headers["x-content-type-options"] == "nosniff"
    [record] = [record for record in caplog.records if record.name == "collector.query.boundary"]
    assert "r-1" in record.getMessage()
    assert record.exc_info is not None
    assert record.exc_info[1] is error


def test_a_path_cannot_break_a_log_line(caplog: pytest.LogCaptureFixture) -> None:
    app = application(stored())

    @app.get("/fail/{rest}")
    def fail(rest: str) -> None:
        raise RuntimeError

    with caplog.at_level(logging.ERROR):
        TestClient(app, raise_server_exceptions=False).get(f"/fail/%0D%0A%1B[31mforged{'x' * 1000}")
    [record] = [record for record in caplog.records if record.name == "collector.query.boundary"]
    assert not re.search(r"[\x00-\x1f]", record.getMessage())
    assert len(record.getMessage()) < 400


def test_a_failure_after_the_response_began_is_not_answered_twice() -> None:
    app = application(stored())

    @app.get("/broken")
    def broken() -> Any:
        from fastapi.responses import StreamingResponse

        def chunks() -> Any:
            yield b"begun"
            raise RuntimeError("cut off")

        return StreamingResponse(chunks())

    with pytest.raises(RuntimeError, match="cut off"):
        TestClient(app).get("/broken")


@pytest.mark.parametrize(
    ("sent", "echoed"),
    [
        ("req-1.A_b", "req-1.A_b"),
        ('a"b<c>d\x01\x1b[31m', "abcd31m"),
        ("x" * 5000, "x" * 128),
    ],
)
def test_a_request_id_is_echoed_bounded_and_harmless(sent: str, echoed: str) -> None:
    response = client_of(stored()).get("/healthz", headers={"X-Request-ID": sent})
    assert response.headers["x-request-id"] == echoed


def test_a_request_without_a_usable_id_gets_one_of_its_own() -> None:
    client = client_of(stored())
    made = [client.get("/healthz", headers=headers).headers["x-request-id"] for headers in ({}, {"X-Request-ID": "<>"})]
    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in made)
    assert made[0] != made[1]


@pytest.mark.parametrize(
    "path", [f"/traces/{TRACE_ID}", f"/traces/{'b' * 32}", "/traces/x", "/nowhere", "/healthz", "/docs", "/metrics"]
)
def test_every_response_forbids_guessing_its_type(path: str) -> None:
    response = client_of(stored()).get(path)
    assert response.headers.get_list("x-content-type-options") == ["nosniff"]
    assert response.headers.get_list("x-request-id")


def test_health_says_ok_while_the_process_lives() -> None:
    response = client_of(StoredTraces(), lambda: "no store").get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_readiness_follows_what_it_is_told() -> None:
    reasons = iter([None, "The store does not answer."])
    client = client_of(StoredTraces(), lambda: next(reasons))
    assert client.get("/readyz").json() == {"status": "ready"}
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"status": "not ready", "reason": "The store does not answer."}


def test_metrics_are_in_the_prometheus_text_format() -> None:
    response = client_of(stored()).get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "# TYPE python_info gauge" in response.text


PANDAPROBE = {
    "/traces",
    "/traces/{trace_id}",
    "/traces/analytics",
    "/traces/users",
    "/traces/batch/delete",
    "/traces/batch/tags",
    "/sessions",
    "/sessions/{session_id}",
}


def test_the_documentation_loads_nothing_and_names_every_route() -> None:
    client = client_of(stored())
    response = client.get("/docs")
    assert response.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert not re.search(r"<script|<link|<img|https?://", response.text)
    paths = client.get("/openapi.json").json()["paths"]
    assert PANDAPROBE | {"/traces/{trace_id}/feedback", "/users/{user_id}", "/healthz", "/readyz", "/metrics"} <= set(
        paths
    )
    for path, methods in paths.items():
        for method in methods:
            assert f"{method.upper()} {path}</code>" in response.text
    assert "<p>Body: FeedbackBody</p>" in response.text
    assert '<h3 id="TraceResponse">' in response.text


def test_the_routes_are_served_under_their_base_path_too() -> None:
    client = client_of(stored())
    assert client.get(f"/pandaprobe/traces/{TRACE_ID}").content == client.get(f"/traces/{TRACE_ID}").content
    assert set(client.get("/pandaprobe/openapi.json").json()["paths"]) == PANDAPROBE
    assert client.get("/pandaprobe/nothing").json() == {"detail": "Not Found"}


@pytest.mark.parametrize(
    "base", ["/artanis/api/traces/", "/galtea/traces/", "/letta/v1/steps/", "/lasso/api/v1/tables/"]
)
def test_a_line_break_in_a_path_is_a_character_like_others(base: str) -> None:
    client = client_of(stored())
    answers = [client.get(f"{base}x{sign}y/z", headers={"X-Request-ID": "r"}) for sign in ("%0A", "%20")]
    assert answers[0].json() == answers[1].json()


def deep(levels: int) -> str:
    return "[" * levels + "]" * levels


def test_whatever_a_span_holds_the_answer_is_valid_json() -> None:
    hostile = {
        "name": "=cmd|' /C calc'!A0 <script>alert(1)</script>\0\ud800",
        "attributes": {"nan": float("nan"), "big": 2**63 - 1, "\ud800": ["\udfff"], "deep": json.loads(deep(400))},
        "error": "\ud83d",
    }
    contents = [deep(5000), '[{"role": "user", "parts": ' + deep(5000) + "}]", "[NaN, 1e999]", '"\\ud800"', "\ud800\0"]
    spans = [model_call_row(input=text, output=text, **hostile) for text in contents]
    spans += [bare_span_row(kind="TOOL", input=text, output=text, **hostile) for text in contents]
    app: FastAPI = application(StoredTraces(answer=(trace_row(), spans)))
    response = TestClient(app).get(f"/traces/{TRACE_ID}")
    assert response.headers["content-type"] == "application/json"
    shown = json.loads(response.content.decode(), parse_constant=pytest.fail)["spans"]
    assert len(shown) == 10
    assert shown[0]["name"].endswith("<script>alert(1)</script>\0\ufffd")
    assert shown[0]["metadata"]["big"] == 2**63 - 1
    assert shown[5]["input"] == deep(5000)
