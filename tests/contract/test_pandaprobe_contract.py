"""What is served against the PandaProbe document, as transcribed in pandaprobe.yaml."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from fastapi.testclient import TestClient

from collector.query.pandaprobe import schema as pandaprobe_schema
from tests.unit.query.rows import (
    TRACE_ID,
    StoredTraces,
    application,
    bare_span_row,
    model_call_row,
    running_trace_row,
    trace_row,
)

CONTRACT = yaml.safe_load((Path(__file__).parent / "pandaprobe.yaml").read_text(encoding="utf-8"))
SHAPES: dict[str, dict[str, Any]] = CONTRACT["shapes"]

FAILED = bare_span_row(status_code="ERROR", error="boom", end_time=None, latency_ns=None)
ANSWERS = {
    "complete": (trace_row(), [bare_span_row(), model_call_row()]),
    "failed": (trace_row(status="ERROR"), [FAILED, model_call_row()]),
    "running": (running_trace_row(), [bare_span_row()]),
    "of no spans": (running_trace_row(), []),
    "of every kind": (
        trace_row(),
        [
            bare_span_row(kind=kind)
            for kind in [
                "AGENT",
                "LLM",
                "TOOL",
                "RETRIEVER",
                "CHAIN",
                "EMBEDDING",
                "RERANKER",
                "GUARDRAIL",
                "EVALUATOR",
                "OTHER",
            ]
        ],
    ),
}


def client_of(name: str) -> TestClient:
    return TestClient(application(StoredTraces(answer=ANSWERS[name])))


def is_timestamp(value: Any) -> bool:
    if not isinstance(value, str) or not value.endswith("+00:00"):
        return False
    return datetime.fromisoformat(value).isoformat(timespec="microseconds") == value


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


SIMPLE_TYPES: dict[str, Callable[[Any], bool]] = {
    "any": lambda value: True,
    "uuid": lambda value: isinstance(value, str) and str(uuid.UUID(value)) == value,
    "string": lambda value: isinstance(value, str),
    "timestamp": is_timestamp,
    "number": is_number,
    "integer": lambda value: is_number(value) and isinstance(value, int),
    "object": lambda value: isinstance(value, dict),
    "object of number": lambda value: isinstance(value, dict) and all(map(is_number, value.values())),
}


def violations(value: Any, of_type: str, where: str) -> Iterator[str]:
    """Yield a line for everything in which `value` is not what the contract says."""
    if of_type.startswith("list of "):
        if not isinstance(value, list):
            yield f"{where} is not a list"
            return
        for index, item in enumerate(value):
            yield from violations(item, of_type.removeprefix("list of "), f"{where}[{index}]")
    elif of_type in SHAPES:
        shape = SHAPES[of_type]
        if list(value) != list(shape):
            yield f"{where} has the keys {list(value)}"
            return
        for field, rule in shape.items():
            if value[field] is None:
                if not rule["nullable"]:
                    yield f"{where}.{field} is null"
            else:
                yield from violations(value[field], rule["type"], f"{where}.{field}")
    elif of_type in CONTRACT["enums"]:
        if value not in CONTRACT["enums"][of_type]:
            yield f"{where} is {value!r}"
    elif not SIMPLE_TYPES[of_type](value):
        yield f"{where} is {value!r}, not {of_type}"


def documents(shape: str) -> Iterator[dict[str, Any]]:
    """Yield every document of this shape that the answers contain."""
    for name in ANSWERS:
        trace = client_of(name).get(f"/traces/{TRACE_ID}").json()
        page = client_of(name).get("/traces").json()
        shown = {"TraceResponse": [trace], "TraceList": [page]}
        yield from shown.get(shape, trace["spans"] if shape == "SpanResponse" else page["items"])


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("path", CONTRACT["endpoints"])
def test_every_answer_has_exactly_the_documented_fields_and_types(path: str, name: str) -> None:
    response = client_of(name).get(path.format(trace_id=TRACE_ID))
    assert response.status_code == 200
    assert list(violations(response.json(), CONTRACT["endpoints"][path], "$")) == []
    model = getattr(pandaprobe_schema, CONTRACT["endpoints"][path])
    model.model_validate_json(response.content)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_field_is_seen_filled_and_every_nullable_one_null(shape: str) -> None:
    seen = list(documents(shape))
    for field, rule in SHAPES[shape].items():
        values = [document[field] for document in seen]
        assert any(value is not None for value in values), f"{field} is never filled"
        if rule["nullable"]:
            assert any(value is None for value in values), f"{field} is never null"


def test_the_documented_example_is_in_the_transcribed_shape() -> None:
    def filled(value: Any, field: str = "") -> Any:
        if isinstance(value, dict):
            return {key: filled(each, key) for key, each in value.items()}
        if isinstance(value, list):
            return [filled(each) for each in value]
        is_time = field.endswith(("_at", "_time"))
        return datetime(2026, 1, 1, tzinfo=UTC).isoformat(timespec="microseconds") if is_time else value

    assert list(violations(filled(CONTRACT["example"]), "TraceResponse", "$")) == []


@pytest.mark.parametrize("enum", CONTRACT["enums"])
def test_the_declared_enums_are_the_documented_ones(enum: str) -> None:
    assert list(get_args(getattr(pandaprobe_schema, enum))) == CONTRACT["enums"][enum]


def declared(schema: dict[str, Any]) -> tuple[str, bool]:
    """Return the contract's type and nullability for a field of the OpenAPI document."""
    if "anyOf" in schema:
        branches = [branch for branch in schema["anyOf"] if branch.get("type") != "null"]
        return declared(branches[0])[0] if branches[0] else "any", len(branches) < len(schema["anyOf"])
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2], False
    if "enum" in schema:
        return next(name for name, values in CONTRACT["enums"].items() if values == schema["enum"]), False
    if schema.get("format") == "uuid":
        return "uuid", False
    if schema.get("type") == "array":
        return f"list of {declared(schema['items'])[0]}", False
    if schema.get("additionalProperties", True) is not True:
        return f"object of {declared(schema['additionalProperties'])[0]}", False
    return schema.get("type", "any"), False


@pytest.mark.parametrize("shape", SHAPES)
def test_the_openapi_document_declares_the_shape(shape: str) -> None:
    schema = client_of("complete").get("/openapi.json").json()["components"]["schemas"][shape]
    assert schema["required"] == list(SHAPES[shape])
    assert schema["additionalProperties"] is False
    for field, rule in SHAPES[shape].items():
        of_type, nullable = declared(schema["properties"][field])
        if "examples" in schema["properties"][field]:
            of_type = "timestamp"
        assert (of_type, nullable) == (rule["type"], rule["nullable"]), field


@pytest.mark.parametrize("path", CONTRACT["endpoints"])
def test_the_openapi_document_declares_the_responses(path: str) -> None:
    responses = client_of("complete").get("/openapi.json").json()["paths"][path]["get"]["responses"]
    success = responses["200"]["content"]["application/json"]["schema"]
    assert success == {"$ref": f"#/components/schemas/{CONTRACT['endpoints'][path]}"}
    assert responses["422"]["content"]["application/json"]["schema"]["$ref"].endswith("/ValidationProblem")


def test_the_openapi_document_declares_the_parameters() -> None:
    operation = client_of("complete").get("/openapi.json").json()["paths"]["/traces"]["get"]
    schemas = {parameter["name"]: parameter["schema"] for parameter in operation["parameters"]}
    assert list(schemas) == list(CONTRACT["parameters"])
    for name, rule in CONTRACT["parameters"].items():
        schema = schemas[name]
        branches = [schema, *schema.get("anyOf", ())]
        if "default" in rule:
            assert schema["default"] == rule["default"]
        if "minimum" in rule:
            assert schema["minimum"] == rule["minimum"]
        if "maximum" in rule:
            assert schema["maximum"] == rule["maximum"]
        values = CONTRACT["enums"].get(rule["type"], rule["type"]) if isinstance(rule["type"], str) else rule["type"]
        if isinstance(values, list):
            assert any(branch.get("enum") == values for branch in branches), name


@pytest.mark.parametrize("error", CONTRACT["errors"], ids=lambda error: error["request"])
def test_errors_have_the_documented_bodies(error: dict[str, Any]) -> None:
    response = client_of("complete").get(error["request"])
    assert response.status_code == error["status"]
    body = response.json()
    for problem in body.get("errors", ()):
        assert re.search(r"\w", problem["message"])
        problem["message"] = "*"
    assert body == error["body"]
