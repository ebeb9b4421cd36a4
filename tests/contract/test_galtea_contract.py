"""What is served against the Galtea document, as transcribed in galtea.yaml."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, get_args

import pytest
from fastapi.testclient import TestClient

from collector.auth import Keys, Scope
from collector.errors import Unauthorized
from collector.query.api import Backend
from collector.query.app import create_app
from collector.query.galtea import schema as galtea_schema
from collector.settings_attributes import Attributes
from tests.support.contract import contract, openapi_differences, violations
from tests.unit.query.rows import ROOT_ID, TRACE_ID, application, bare_span_row, model_call_row
from tests.unit.query.spans import Deleting, StoredSpans

CONTRACT = contract("galtea")

DOCUMENTED = bare_span_row(
    span_id="00f067aa0ba90299",
    parent_span_id=ROOT_ID,
    span_uuid="0af76519-16cd-443d-80f0-67aa0ba90299",
    parent_span_uuid="11111111-1111-4111-8111-111111111111",
    name="fetch_user_data",
    kind="TOOL",
    input='{"user_id": "123"}',
    output='{"name": "John Doe", "email": "john@example.com"}',
    error="Connection timeout",
    latency_ns=45_500_000,
    request_model="gpt-4",
    model_parameters={"temperature": 0.7},
    attributes={
        "galtea.inference_result.id": "ir_123",
        "galtea.trace.description": "Fetches user data from the database by ID",
    },
)

SPANS = [
    bare_span_row(),
    model_call_row(),
    DOCUMENTED,
    bare_span_row(span_id="00000000000000aa", end_time=None, latency_ns=None, input="text", output="[1, 2]"),
]


@pytest.fixture
def client() -> TestClient:
    store = StoredSpans(*SPANS)
    return TestClient(application(store, editor=Deleting(store)), base_url="http://test/galtea/")


def shown(client: TestClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("traces").json()
    assert len(found) == len(SPANS)
    return found


@pytest.mark.parametrize("path", CONTRACT["endpoints"])
def test_every_answer_has_exactly_the_documented_fields_and_types(client: TestClient, path: str) -> None:
    for span in SPANS:
        response = client.get(path.lstrip("/").format(trace_id=f"trace_{span['span_id']}"))
        assert response.status_code == 200
        assert response.headers["content-type"] == "application/json"
        assert list(violations(CONTRACT, response.json(), CONTRACT["endpoints"][path])) == []


def test_the_documented_example_is_what_its_span_is_shown_as(client: TestClient) -> None:
    answer = client.get("traces/trace_00f067aa0ba90299").json()
    assert list(answer) == list(CONTRACT["example"])
    times = {"startTime", "endTime", "createdAt", "deletedAt"}
    own = {"id": "trace_00f067aa0ba90299", "parentTraceId": f"trace_{ROOT_ID}"}
    for field, value in ({**CONTRACT["example"], **own}).items():
        if field == "metadata":
            assert answer[field].items() >= value.items()
        elif field not in times:
            assert answer[field] == value, field


def test_the_documented_example_is_in_the_transcribed_shape() -> None:
    assert list(violations(CONTRACT, CONTRACT["example"], "Trace")) == []


def test_every_field_is_seen_filled_and_every_nullable_one_null(client: TestClient) -> None:
    for field, rule in CONTRACT["shapes"]["Trace"].items():
        values = [span[field] for span in shown(client)]
        if field != "deletedAt":  # what is deleted is gone
            assert any(value is not None for value in values), f"{field} is never filled"
        if rule["nullable"]:
            assert any(value is None for value in values), f"{field} is never null"


def test_the_declared_types_are_the_documented_ones() -> None:
    assert list(get_args(galtea_schema.TraceType)) == CONTRACT["enums"]["TraceType"]


@pytest.mark.parametrize("shape", CONTRACT["shapes"])
def test_the_openapi_document_declares_the_shape(client: TestClient, shape: str) -> None:
    schemas = client.get("openapi.json").json()["components"]["schemas"]
    assert list(openapi_differences(CONTRACT, schemas, shape)) == []


def test_the_openapi_document_declares_the_parameters(client: TestClient) -> None:
    operation = client.get("openapi.json").json()["paths"]["/traces"]["get"]
    assert [parameter["name"] for parameter in operation["parameters"]] == CONTRACT["parameters"]


@pytest.mark.parametrize("error", CONTRACT["errors"], ids=lambda error: error["request"])
def test_errors_have_the_documented_body(client: TestClient, error: dict[str, Any]) -> None:
    method, _, path = error["request"].partition(" ")
    response = client.request(method, path.lstrip("/"))
    assert response.status_code == error["status"]
    body = response.json()
    assert list(body) == ["error", "message"]
    assert body["error"] == HTTPStatus(error["status"]).phrase
    assert body["message"]


def test_a_span_of_another_project_is_not_found() -> None:
    store = StoredSpans(*SPANS, project="another")
    client = TestClient(application(store, editor=Deleting(store)), base_url="http://test/galtea/")
    for method in ("GET", "DELETE"):
        assert client.request(method, f"traces/trace_{ROOT_ID}").status_code == 404
    assert client.get("traces", params={"inferenceResultIds[]": "ir_123"}).json() == []
    assert client.get("traces", params={"inferenceResultIds[]": TRACE_ID}).json() == []


class NoKeyHolds(Keys):
    def project(self, key: str | None, scope: Scope, *, named: str | None = None) -> str:
        raise Unauthorized("This key does not hold here.")


def test_a_key_that_does_not_hold_is_told_of_in_the_documented_body() -> None:
    app = create_app(Backend(None, None, NoKeyHolds(), Attributes()), version="1", ready=lambda: None)  # type: ignore[arg-type]
    client = TestClient(app, base_url="http://test/galtea/")
    for method, path in (("GET", "traces"), ("GET", f"traces/{ROOT_ID}"), ("DELETE", f"traces/{ROOT_ID}")):
        response = client.request(method, path)
        assert response.status_code == 401
        assert response.json() == {"error": "Unauthorized", "message": "This key does not hold here."}
    assert client.get("minimum-sdk-version").status_code == 200, (
        "the package asks when it starts, with whatever key it has"
    )
