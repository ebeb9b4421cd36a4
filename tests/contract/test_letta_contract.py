"""What is served against the Letta document, as transcribed in letta.yaml, and the transcription against the client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

import letta_client.types as client_types
import pytest
import yaml
from fastapi.testclient import TestClient
from letta_client.types.provider_trace import ProviderTrace
from letta_client.types.step import Step
from letta_client.types.steps.metric_retrieve_response import MetricRetrieveResponse

from collector.query.letta import schema
from tests.unit.query.steps import StoredSteps, call_row, client_of, shown

CONTRACT = yaml.safe_load((Path(__file__).parent / "letta.yaml").read_text(encoding="utf-8"))
TRACE: dict[str, Any] = CONTRACT["document"]["ProviderTrace"]
SHAPES: dict[str, dict[str, Any]] = {
    "ProviderTrace": {**TRACE, **CONTRACT["client"]["ProviderTrace"]},
    **CONTRACT["shapes"],
}
MODELS = {"ProviderTrace": ProviderTrace, "Step": Step, "MetricRetrieveResponse": MetricRetrieveResponse}
PATHS = {"ProviderTrace": "/trace", "Step": "", "MetricRetrieveResponse": "/metrics"}
DECLARED = {"MetricRetrieveResponse": "StepMetrics"}
"""Shapes that go by another name in the OpenAPI document."""

NOTHING = dict.fromkeys(
    (
        *(f"{name}_tokens" for name in ("input", "output", "cache_read", "cache_write", "reasoning")),
        "end_time", "latency_ns", "time_to_first_token_ns",
    )
)  # fmt: skip
EMPTY = dict.fromkeys(("provider", "request_model", "response_model", "response_id", "input", "output"), "")
ROWS = {
    "complete": call_row(1, tags=["beta"], attributes={"gen_ai.agent.id": "agent-1", "letta.run_id": "run-1"}),
    "reported": call_row(
        2, attributes={"letta.request_json": '{"foo": "bar"}', "letta.response_json": '{"foo": "bar"}'}
    ),
    "failed": call_row(3, status_code="ERROR", error="no such model", error_type="NotFoundError", output=""),
    "bare": call_row(4, **NOTHING, **EMPTY, finish_reasons=[], counts=False),
}


def answer_of(name: str, shape: str) -> Any:
    response = client_of(StoredSteps(ROWS[name])).get(f"/letta/v1/steps/{shown(ROWS[name])}{PATHS[shape]}")
    assert response.status_code == 200
    return response.json()


def is_time(value: Any) -> bool:
    return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None


TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "date-time": is_time,
    "object": lambda value: isinstance(value, dict),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "list of string": lambda value: isinstance(value, list) and all(isinstance(each, str) for each in value),
    "list of object": lambda value: isinstance(value, list) and all(isinstance(each, dict) for each in value),
}


def violations(document: dict[str, Any], shape: dict[str, Any]) -> Iterator[str]:
    """Yield a line for everything in which a document is not what the contract says."""
    if list(document) != list(shape):
        yield f"the keys are {list(document)}"
        return
    for field, rule in shape.items():
        value = document[field]
        if value is None:
            if not rule["optional"]:
                yield f"{field} is null"
        elif rule["type"] in CONTRACT["enums"]:
            if value not in CONTRACT["enums"][rule["type"]]:
                yield f"{field} is {value!r}"
        elif not TYPES[rule["type"]](value):
            yield f"{field} is {value!r}, not {rule['type']}"


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_answer_has_exactly_the_fields_and_types(shape: str, name: str) -> None:
    document = answer_of(name, shape)
    assert list(violations(document, SHAPES[shape])) == []
    getattr(schema, DECLARED.get(shape, shape)).model_validate(document)


@pytest.mark.parametrize("name", ROWS)
def test_the_documented_fields_of_a_trace_come_first_and_in_order(name: str) -> None:
    assert list(answer_of(name, "ProviderTrace"))[: len(TRACE)] == list(TRACE)


def test_the_documented_example_can_be_reported() -> None:
    document = answer_of("reported", "ProviderTrace")
    example = CONTRACT["example"]
    assert list(violations(example, TRACE)) == []
    assert list(example) == list(TRACE)
    for field in ("request_json", "response_json"):
        assert document[field] == example[field]
    assert document["id"].startswith("provider_trace-")


@pytest.mark.parametrize("shape", MODELS)
def test_the_transcription_has_the_fields_of_the_published_client(shape: str) -> None:
    fields = {field.alias or name: field for name, field in MODELS[shape].model_fields.items()}
    assert set(SHAPES[shape]) == set(fields)
    for name, rule in SHAPES[shape].items():
        assert fields[name].is_required() is not rule["optional"], name


def test_the_enums_are_those_of_the_published_client() -> None:
    def values(annotation: Any) -> list[str]:
        inner = [each for each in get_args(annotation) if each is not type(None)]
        return values(inner[0]) if inner and get_args(inner[0]) else [each for each in inner if isinstance(each, str)]

    for enum, field in (("Feedback", "feedback"), ("Status", "status")):
        assert values(Step.model_fields[field].annotation) == CONTRACT["enums"][enum]
    assert list(get_args(client_types.StopReasonType)) == CONTRACT["enums"]["StopReason"]


@pytest.fixture(scope="module")
def openapi() -> dict[str, Any]:
    document: dict[str, Any] = client_of(StoredSteps()).get("/letta/openapi.json").json()
    return document


@pytest.mark.parametrize("shape", SHAPES)
def test_the_openapi_document_declares_the_shape(shape: str, openapi: dict[str, Any]) -> None:
    declared = openapi["components"]["schemas"][DECLARED.get(shape, shape)]
    assert list(declared["properties"]) == declared["required"] == list(SHAPES[shape])
    assert declared["additionalProperties"] is False


def test_the_openapi_document_declares_the_endpoint(openapi: dict[str, Any]) -> None:
    operation = openapi["paths"][CONTRACT["endpoint"]["path"]][CONTRACT["endpoint"]["method"]]
    ((name, rule),) = CONTRACT["path_parameters"].items()
    (parameter,) = [each for each in operation["parameters"] if each["in"] == "path"]
    assert (parameter["name"], parameter["schema"]["type"], parameter["schema"]["pattern"]) == (
        name, rule["type"], rule["pattern"],
    )  # fmt: skip
    assert len(shown(ROWS["complete"])) == rule["min_length"] == rule["max_length"]
    returned = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert {"$ref": f"#/components/schemas/{CONTRACT['endpoint']['returns']}"} in returned["anyOf"]


@pytest.mark.parametrize("path", CONTRACT["parameters"])
def test_the_openapi_document_declares_the_parameters(path: str, openapi: dict[str, Any]) -> None:
    declared = {
        each["name"]: each["schema"] for each in openapi["paths"][path]["get"]["parameters"] if each["in"] == "query"
    }
    assert list(declared) == list(CONTRACT["parameters"][path])
    for name, rule in CONTRACT["parameters"][path].items():
        branches = [declared[name], *declared[name].get("anyOf", ())]
        assert declared[name].get("default") == rule.get("default", [] if rule["type"] == "array" else None)
        if isinstance(rule["type"], list):
            assert any(each.get("enum", [each.get("const")]) == rule["type"] for each in branches), name
        else:
            assert any(each.get("type") == rule["type"] for each in branches), name


@pytest.mark.parametrize("error", CONTRACT["errors"], ids=lambda error: error["request"])
def test_errors_have_the_documented_bodies(error: dict[str, Any]) -> None:
    client: TestClient = client_of(StoredSteps(ROWS["complete"]))
    response = client.get("/letta" + error["request"])
    assert (response.status_code, response.json()) == (error["status"], error["body"])
