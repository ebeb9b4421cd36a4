"""What is served against the PandaProbe document, as transcribed in pandaprobe.yaml."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from fastapi.testclient import TestClient

from collector.query.pandaprobe import schema as pandaprobe_schema
from tests.unit.query.rows import (
    TRACE_ID,
    Edits,
    StoredTraces,
    application,
    bare_span_row,
    model_call_row,
    period_row,
    running_session_row,
    running_trace_row,
    session_row,
    trace_row,
    user_row,
)

CONTRACT = yaml.safe_load((Path(__file__).parent / "pandaprobe.yaml").read_text(encoding="utf-8"))
SHAPES: dict[str, dict[str, Any]] = CONTRACT["shapes"]
ENDPOINTS: list[dict[str, Any]] = CONTRACT["endpoints"]
NAMES = [" ".join([e["method"], e["path"], *e.get("query", {}).values()]) for e in ENDPOINTS]
BETWEEN = {"started_after": "2026-01-01", "started_before": "2026-01-02"}

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


UNKNOWN_LATENCY = dict.fromkeys(("latency_average", "latency_p50", "latency_p90", "latency_p99"))


@cache
def client_of(name: str) -> TestClient:
    """The API over one of the answers; that of a running trace comes with sums of which little is known."""
    running = name == "running"
    reader = StoredTraces(
        answer=ANSWERS[name],
        session=running_session_row() if running else session_row(),
        user=user_row(),
        period=period_row(**UNKNOWN_LATENCY) if running else period_row(),
    )
    return TestClient(application(reader, editor=Edits(TRACE_ID, forgets=True)))


def answer_of(endpoint: dict[str, Any], name: str) -> Any:
    """The response of an endpoint that knows one of the answers."""
    parameters = {**(BETWEEN if endpoint["path"].endswith("/analytics") else {}), **endpoint.get("query", {})}
    body = {"json": {"trace_ids": [TRACE_ID], "add_tags": ["a"]}} if endpoint["method"] == "post" else {}
    path = endpoint["path"].format(trace_id=TRACE_ID, session_id="session-1")
    return client_of(name).request(endpoint["method"], path, params=parameters, **body)


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
    "boolean": lambda value: isinstance(value, bool),
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


def documents(value: Any, of_type: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every object in an answer, with the name of its shape."""
    if of_type.startswith("list of "):
        for item in value:
            yield from documents(item, of_type.removeprefix("list of "))
    elif of_type in SHAPES and value is not None:
        yield of_type, value
        for field, rule in SHAPES[of_type].items():
            yield from documents(value[field], rule["type"])


@cache
def all_documents() -> list[tuple[str, dict[str, Any]]]:
    """Every object in every answer."""
    return [
        found
        for endpoint in ENDPOINTS
        if endpoint["answer"] != "nothing"
        for name in ANSWERS
        for found in documents(answer_of(endpoint, name).json(), endpoint["answer"])
    ]


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=NAMES)
def test_every_answer_has_exactly_the_documented_fields_and_types(endpoint: dict[str, Any], name: str) -> None:
    response = answer_of(endpoint, name)
    assert response.status_code == endpoint.get("status", 200)
    if endpoint["answer"] == "nothing":
        assert response.content == b""
        return
    assert list(violations(response.json(), endpoint["answer"], "$")) == []
    for shape, document in documents(response.json(), endpoint["answer"]):
        getattr(pandaprobe_schema, shape).model_validate_json(json.dumps(document))


@pytest.mark.parametrize("shape", SHAPES)
def test_every_field_is_seen_filled_and_every_nullable_one_null(shape: str) -> None:
    seen = [document for of_shape, document in all_documents() if of_shape == shape]
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
    schema = openapi()["components"]["schemas"][shape]
    assert schema["required"] == list(SHAPES[shape])
    assert schema["additionalProperties"] is False
    for field, rule in SHAPES[shape].items():
        of_type, nullable = declared(schema["properties"][field])
        if "examples" in schema["properties"][field]:
            of_type = "timestamp"
        assert (of_type, nullable) == (rule["type"], rule["nullable"]), field


def operation(endpoint: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = openapi()["paths"][endpoint["path"]][endpoint["method"]]
    return found


@cache
def openapi() -> dict[str, Any]:
    document: dict[str, Any] = client_of("complete").get("/openapi.json").json()
    return document


def referred(of_type: str) -> dict[str, Any]:
    """How the OpenAPI document refers to a shape or a list of one."""
    if of_type.startswith("list of "):
        return {"items": referred(of_type.removeprefix("list of ")), "type": "array"}
    return {"$ref": f"#/components/schemas/{of_type}"}


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=NAMES)
def test_the_openapi_document_declares_the_responses(endpoint: dict[str, Any]) -> None:
    responses = operation(endpoint)["responses"]
    assert responses["422"]["content"]["application/json"]["schema"]["$ref"].endswith("/ValidationProblem")
    assert ("404" in responses) == ("{" in endpoint["path"])
    success = responses[str(endpoint.get("status", 200))]
    if endpoint["answer"] == "nothing":
        assert "content" not in success
        return
    schema = success["content"]["application/json"]["schema"]
    assert referred(endpoint["answer"]) in schema.get("anyOf", [schema])


@pytest.mark.parametrize("endpoint", [e for e in ENDPOINTS if "parameters" in e], ids=lambda e: e["path"])
def test_the_openapi_document_declares_the_parameters(endpoint: dict[str, Any]) -> None:
    declared_ones = {each["name"]: each for each in operation(endpoint)["parameters"] if each["in"] == "query"}
    documented = CONTRACT["parameters"][endpoint["parameters"]]
    assert list(declared_ones) == list(documented)
    for name, rule in documented.items():
        schema = declared_ones[name]["schema"]
        branches = [schema, *schema.get("anyOf", ())]
        assert declared_ones[name].get("required", False) == rule.get("required", False), name
        for key in ("default", "minimum", "maximum"):
            if key in rule:
                assert schema[key] == rule[key], name
        values = CONTRACT["enums"].get(rule["type"], rule["type"]) if isinstance(rule["type"], str) else rule["type"]
        if isinstance(values, list):
            assert any(branch.get("enum") == values for branch in branches), name


@pytest.mark.parametrize("path", CONTRACT["bodies"])
def test_the_openapi_document_declares_the_bodies(path: str) -> None:
    content = openapi()["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    schema = openapi()["components"]["schemas"][content["$ref"].rpartition("/")[2]]
    documented = CONTRACT["bodies"][path]
    assert list(schema["properties"]) == list(documented)
    assert schema["required"] == [field for field, rule in documented.items() if rule.get("required")]
    for field, rule in documented.items():
        for key, name in (("minimum", "minItems"), ("maximum", "maxItems")):
            if key in rule:
                assert schema["properties"][field][name] == rule[key]


@pytest.mark.parametrize("error", CONTRACT["errors"], ids=lambda error: error["request"])
def test_errors_have_the_documented_bodies(error: dict[str, Any]) -> None:
    response = client_of("complete").get(error["request"])
    assert response.status_code == error["status"]
    body = response.json()
    for problem in body.get("errors", ()):
        assert re.search(r"\w", problem["message"])
        problem["message"] = "*"
    assert body == error["body"]
