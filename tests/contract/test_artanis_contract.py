"""What is served against the Artanis document, as transcribed in artanis.yaml."""

from __future__ import annotations

import copy
import json
import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from fastapi.testclient import TestClient

from collector.query.artanis import schema as artanis_schema
from exporters.clickhouse import read_joined
from tests.support.otlp_signals import EVALUATION, log_record
from tests.support.spans import SECOND, batch, log_batch, span, span_id, trace_id
from tests.support.store import Database
from tests.unit.query.reviewed import ReviewedTraces, evaluation
from tests.unit.query.rows import (
    TRACE_ID,
    application,
    bare_span_row,
    model_call_row,
    running_trace_row,
    trace_row,
)

CONTRACT = yaml.safe_load((Path(__file__).parent / "artanis.yaml").read_text(encoding="utf-8"))
SHAPES: dict[str, dict[str, Any]] = CONTRACT["shapes"]
BASE = CONTRACT["base"]

NINE_O_CLOCK = 1_775_638_800 * SECOND
"""2026-04-08T09:00:00Z, the start of the documented trace."""

REVIEWED = model_call_row(
    prompt_name="answer",
    prompt_version="3",
    attributes={"review.approved_output": "Lyon."},
    evaluations=[evaluation(explanation="Wrong.", user_id="ann", time=5), evaluation(label="bad")],
)
FAILED = bare_span_row(status_code="ERROR", error="boom", end_time=None, latency_ns=None)
ANSWERS = {
    "reviewed": (trace_row(), [bare_span_row(), REVIEWED]),
    "not reviewed": (trace_row(), [bare_span_row(), model_call_row()]),
    "failed": (trace_row(status="ERROR", error_count=1), [FAILED, model_call_row()]),
    "running": (running_trace_row(), [bare_span_row()]),
    "of no spans": (running_trace_row(), []),
}


def client_of(name: str) -> TestClient:
    return ReviewedTraces(*ANSWERS[name]).client()


def path_of(endpoint: str) -> str:
    query = "" if "{" in endpoint else "?projectSlug=default"
    return BASE + endpoint.format(traceId=TRACE_ID) + query


SIMPLE_TYPES: dict[str, Callable[[Any], bool]] = {
    "any": lambda value: True,
    "uuid": lambda value: isinstance(value, str) and str(uuid.UUID(value)) == value,
    "string": lambda value: isinstance(value, str),
    "timestamp": lambda value: (
        isinstance(value, str) and bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value))
    ),
    "object": lambda value: isinstance(value, dict),
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
        if list(value) != list(SHAPES[of_type]):
            yield f"{where} has the keys {list(value)}"
            return
        for field, rule in SHAPES[of_type].items():
            if value[field] is not None:
                yield from violations(value[field], rule["type"], f"{where}.{field}")
            elif not rule["nullable"]:
                yield f"{where}.{field} is null"
    elif of_type in CONTRACT["enums"]:
        if value not in CONTRACT["enums"][of_type]:
            yield f"{where} is {value!r}"
    elif not SIMPLE_TYPES[of_type](value):
        yield f"{where} is {value!r}, not {of_type}"


def documents(shape: str) -> Iterator[dict[str, Any]]:
    """Yield every document of this shape that the answers contain."""
    for name in ANSWERS:
        listed = client_of(name).get(path_of("/api/traces")).json()
        trace = client_of(name).get(path_of("/api/traces/{traceId}")).json()
        yield from {
            "Traces": [listed],
            "TraceItem": listed["traces"],
            "Trace": [trace],
            "Span": trace["spans"],
            "FeedbackItem": trace["feedback"],
        }[shape]


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("endpoint", CONTRACT["endpoints"])
def test_every_answer_has_exactly_the_documented_fields_and_types(endpoint: str, name: str) -> None:
    response = client_of(name).get(path_of(endpoint))
    assert response.status_code == 200
    assert list(violations(response.json(), CONTRACT["endpoints"][endpoint], "$")) == []
    getattr(artanis_schema, CONTRACT["endpoints"][endpoint]).model_validate_json(response.content)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_field_is_seen_filled_and_every_nullable_one_null(shape: str) -> None:
    seen = list(documents(shape))
    for field, rule in SHAPES[shape].items():
        values = [document[field] for document in seen]
        assert any(value is not None for value in values), f"{field} is never filled"
        if rule["nullable"]:
            assert any(value is None for value in values), f"{field} is never null"


@pytest.mark.parametrize(("example", "shape"), [("list_example", "Traces"), ("example", "Trace")])
def test_the_documented_examples_are_in_the_transcribed_shapes(example: str, shape: str) -> None:
    text = json.dumps(CONTRACT[example]).replace('"uuid"', f'"{uuid.UUID(int=1)}"')
    assert list(violations(json.loads(text), shape, "$")) == []


def same_but_for_ids(document: Any, example: Any) -> Any:
    """The document with every id replaced by "uuid" where the example has that."""
    if isinstance(document, dict):
        return {key: same_but_for_ids(value, example.get(key)) for key, value in document.items()}
    if isinstance(document, list):
        return [same_but_for_ids(value, example[0]) for value in document]
    return "uuid" if example == "uuid" and str(uuid.UUID(document)) == document else document


def test_the_documented_example_comes_from_spans_and_events_as_opentelemetry_sends_them(
    database: Database, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All but one value: a trace begins with its first span here, so it is created when that is."""
    monkeypatch.setattr(read_joined, "LOOK_AGAIN_S", 0.0)
    prompt, reviewer = (str(uuid.uuid4()) for _ in range(2))
    values = {
        "user.id": "user-123",
        "artanis.step_id": "classify",
        "artanis.input": '{"email": "..."}',
        "artanis.output": '{"category": "billing"}',
        "artanis.approved_output": '{"category": "refund"}',
        "artanis.prompt_version_id": prompt,
    }
    said = {
        "gen_ai.evaluation.name": "feedback",
        "gen_ai.evaluation.explanation": "Should have been classified as refund, not billing.",
        "user.id": reviewer,
    }
    step = span(1, start=NINE_O_CLOCK + SECOND, seconds=4, name="a step", values=values)
    comment = log_record(
        event=EVALUATION, at=NINE_O_CLOCK + 300 * SECOND, trace_id=trace_id(1), span_id=span_id(1), attributes=said
    )
    database.exporter.write(batch(step, project=project), f"{project}/spans")
    database.exporter.write(log_batch(project, comment, received_at=NINE_O_CLOCK + 301 * SECOND), f"{project}/logs")

    client = TestClient(application(database.store, project=project))
    trace = client.get(f"{BASE}/api/traces/{uuid.UUID(int=1)}").json()
    listed = client.get(f"{BASE}/api/traces?projectSlug={project}").json()
    expected, expected_list = copy.deepcopy(CONTRACT["example"]), copy.deepcopy(CONTRACT["list_example"])
    expected["createdAt"] = expected_list["traces"][0]["createdAt"] = expected["spans"][0]["createdAt"]
    assert same_but_for_ids(trace, expected) == expected
    assert same_but_for_ids(listed, expected_list) == expected_list
    (shown,), (feedback,) = trace["spans"], trace["feedback"]
    assert (feedback["spanId"], feedback["userId"], shown["promptVersionId"]) == (shown["id"], reviewer, prompt)


# The OpenAPI document, and the errors.


def openapi() -> dict[str, Any]:
    document: dict[str, Any] = client_of("reviewed").get(f"{BASE}/openapi.json").json()
    return document


def declared(schema: dict[str, Any]) -> tuple[str, bool]:
    """Return the contract's type and nullability for a field of the OpenAPI document."""
    if "anyOf" in schema:
        branches = [branch for branch in schema["anyOf"] if branch.get("type") != "null"]
        return declared(branches[0])[0] if branches[0] else "any", len(branches) < len(schema["anyOf"])
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2], False
    if "enum" in schema:
        return next(name for name, values in CONTRACT["enums"].items() if values == schema["enum"]), False
    if schema.get("type") == "array":
        return f"list of {declared(schema['items'])[0]}", False
    if schema.get("format") == "uuid" or "examples" in schema:
        return "uuid" if schema.get("format") == "uuid" else "timestamp", False
    return schema.get("type", "any"), False


@pytest.mark.parametrize("shape", SHAPES)
def test_the_openapi_document_declares_the_shape(shape: str) -> None:
    schema = openapi()["components"]["schemas"][shape]
    assert schema["required"] == list(SHAPES[shape])
    assert schema["additionalProperties"] is False
    for field, rule in SHAPES[shape].items():
        assert declared(schema["properties"][field]) == (rule["type"], rule["nullable"]), field


@pytest.mark.parametrize("endpoint", CONTRACT["endpoints"])
def test_the_openapi_document_declares_the_responses(endpoint: str) -> None:
    responses = openapi()["paths"][endpoint]["get"]["responses"]
    success = responses["200"]["content"]["application/json"]["schema"]
    assert success == {"$ref": f"#/components/schemas/{CONTRACT['endpoints'][endpoint]}"}
    for status in ("401", "403", "404", "503"):
        assert responses[status]["content"]["application/json"]["schema"]["$ref"].endswith("/Problem")


def test_the_openapi_document_declares_the_parameters() -> None:
    schemas = {each["name"]: each["schema"] for each in openapi()["paths"]["/api/traces"]["get"]["parameters"]}
    assert list(schemas) == list(CONTRACT["parameters"])
    for name, rule in CONTRACT["parameters"].items():
        assert {key: schemas[name][key] for key in rule} == rule


def test_the_declared_enums_are_the_documented_ones() -> None:
    for enum, values in CONTRACT["enums"].items():
        assert list(get_args(getattr(artanis_schema, enum))) == values


@pytest.mark.parametrize("error", CONTRACT["errors"], ids=lambda error: f"{error['method']} {error['request']}")
def test_errors_have_the_documented_bodies(error: dict[str, Any]) -> None:
    response = client_of("reviewed").request(error["method"], BASE + error["request"])
    assert (response.status_code, response.json()) == (error["status"], error["body"])
