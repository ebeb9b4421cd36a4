"""What is served against the Lasso document, as transcribed in lasso.yaml."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from fastapi.testclient import TestClient

from collector.auth import Keys, Scope
from collector.errors import Unauthorized
from collector.query.api import Backend
from collector.query.app import create_app
from collector.query.lasso import schema as lasso_schema
from collector.settings_attributes import Attributes
from tests.support.contract import contract, openapi_differences, violations
from tests.unit.query.rows import application, model_call_row, text_message
from tests.unit.query.spans import StoredSpans

CONTRACT = contract("lasso")
PATH = "tables/tbl_abc123/rows/row_xyz789/traces"

CELL = {"lasso.table_id": "tbl_abc123", "lasso.row_id": "row_xyz789", "lasso.column_key": "description"}

DOCUMENTED = model_call_row(
    response_model="gemini-pro",
    system_instructions=json.dumps([{"type": "text", "content": "You are a product data expert..."}]),
    input=json.dumps([text_message("user", "Generate a description for: iPhone 15 Pro")]),
    output=json.dumps([text_message("assistant", "The iPhone 15 Pro features...")]),
    attributes={
        **CELL,
        "lasso.confidence": 0.92,
        "lasso.thought_summary": "Used product name and specs to generate description",
    },
)

# Of another column: with tools and sources, and next to nothing said.
WITH_TOOLS = model_call_row(
    trace_id="1" * 32,
    tool_definitions='[{"type": "function", "name": "search"}]',
    tool_calls=[{"id": "call_1", "name": "search", "arguments": '{"q": "iPhone"}'}],
    attributes={**CELL, "lasso.column_key": "price", "lasso.sources": '[{"url": "https://example.com"}]'},
)
SILENT = model_call_row(
    trace_id="2" * 32,
    input="",
    output="",
    system_instructions="",
    request_model="",
    response_model="",
    attributes={**CELL, "lasso.column_key": "weight"},
)


@pytest.fixture
def client() -> TestClient:
    return TestClient(application(StoredSpans(DOCUMENTED, WITH_TOOLS, SILENT)), base_url="http://test/lasso/api/v1/")


def columns(client: TestClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(PATH).json()["data"]
    assert {each["column_key"] for each in found} == {"description", "price", "weight"}
    return found


def test_every_answer_has_exactly_the_documented_fields_and_types(client: TestClient) -> None:
    response = client.get(PATH)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert list(violations(CONTRACT, response.json(), "RowTraces")) == []
    lasso_schema.RowTraces.model_validate_json(response.content)


def test_the_documented_example_is_the_answer_for_its_spans(client: TestClient) -> None:
    response = client.get(PATH, params={"column_key": "description"})
    assert response.json() == CONTRACT["example"]
    assert json.dumps(response.json()) == json.dumps(CONTRACT["example"]), "also in the order of the fields"
    assert list(violations(CONTRACT, CONTRACT["example"], "RowTraces")) == []


@pytest.mark.parametrize("shape", ["ColumnTrace", "RequestDetails", "ResponseDetails"])
def test_every_field_is_seen_filled_and_every_nullable_one_null(client: TestClient, shape: str) -> None:
    inside = {"RequestDetails": "request", "ResponseDetails": "response"}.get(shape)
    seen = [each[inside] if inside else each for each in columns(client)]
    for field, rule in CONTRACT["shapes"][shape].items():
        assert any(each[field] for each in seen), f"{field} is never filled"
        if rule["nullable"] and field != "iterations":  # the model was called at least once
            assert any(each[field] is None for each in seen), f"{field} is never null"


def test_the_declared_error_types_are_the_documented_ones() -> None:
    assert list(get_args(lasso_schema.ErrorType)) == CONTRACT["enums"]["ErrorType"]


@pytest.mark.parametrize("shape", CONTRACT["shapes"])
def test_the_openapi_document_declares_the_shape(client: TestClient, shape: str) -> None:
    schemas = client.get("openapi.json").json()["components"]["schemas"]
    assert list(openapi_differences(CONTRACT, schemas, shape)) == []


def test_the_openapi_document_declares_the_path_and_its_parameter(client: TestClient) -> None:
    (path,) = CONTRACT["endpoints"]
    operation = client.get("openapi.json").json()["paths"][path]["get"]
    assert [each["name"] for each in operation["parameters"]] == ["table_id", "row_id", "column_key"]
    assert [each["required"] for each in operation["parameters"]] == [True, True, False]


@pytest.mark.parametrize("error", CONTRACT["errors"], ids=lambda error: error["request"])
def test_errors_have_the_documented_body(client: TestClient, error: dict[str, Any]) -> None:
    method, _, path = error["request"].partition(" ")
    response = client.request(method, path.lstrip("/").replace("{1025}", "x" * 1025))
    assert response.status_code == error["status"]
    body = response.json()
    assert list(violations(CONTRACT, body, "Problem")) == []
    assert (body["status_code"], body["error_type"]) == (error["status"], error["error_type"])
    assert body["request_id"].replace("-", "") == response.headers["x-request-id"]


def test_a_row_of_another_project_is_not_found() -> None:
    store = StoredSpans(DOCUMENTED, project="another")
    client = TestClient(application(store), base_url="http://test/lasso/api/v1/")
    assert client.get(PATH).status_code == 404


class NoKeyHolds(Keys):
    def project(self, key: str | None, scope: Scope, *, named: str | None = None) -> str:
        raise Unauthorized("This key does not hold here.")


def test_a_key_that_does_not_hold_is_told_of_in_the_documented_body() -> None:
    app = create_app(Backend(None, None, NoKeyHolds(), Attributes()), version="1", ready=lambda: None)  # type: ignore[arg-type]
    response = TestClient(app, base_url="http://test/lasso/api/v1/").get(PATH)
    assert response.status_code == 401
    assert list(violations(CONTRACT, response.json(), "Problem")) == []
    assert (response.json()["status_code"], response.json()["error_type"]) == (401, "unauthenticated")
