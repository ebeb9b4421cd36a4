"""Bodies of model calls: reported where the span carries them, rebuilt in the provider's form where it does not."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collector.query.letta.bodies import bodies, call_of
from collector.query.letta.bodies.forms import ANTHROPIC, BEDROCK, CHAT, COMPLETIONS, GEMINI, RESPONSES, Form, form_of
from collector.query.letta.messages import step_messages
from tests.unit.enrich.dialects.captured import RECORDED, captured
from tests.unit.query.letta_requests import without_nulls
from tests.unit.query.rows import Row
from tests.unit.query.steps import NAMES, call_row

REQUESTS = ("input.value", "mlflow.spanInputs", "gcp.vertex.agent.llm_request")
RESPONSES_SENT = ("output.value", "mlflow.spanOutputs")

CLIENTS = [
    "openinference_openai_chat", "openinference_openai_tools", "openinference_openai_failure", "openinference_openai_responses",
    "openinference_openai_stream", "openinference_anthropic_chat", "openinference_anthropic_tools",
    "openinference_anthropic_stream", "mlflow_agent", "mlflow_anthropic", "mlflow_openai_responses", "mlflow_openai_stream",
]  # fmt: skip
"""Recordings of packages that send what the provider's client was given and returned."""

FORMS = (CHAT, RESPONSES, ANTHROPIC, GEMINI, BEDROCK, COMPLETIONS)


def stored_row(recorded: Mapping[str, Any]) -> Row:
    """The row of an enriched span as the store returns it."""
    changes = {key: value for key, value in recorded.items() if key != "attributes"}
    changes["model_parameters"] = json.loads(recorded["model_parameters"] or "{}")
    changes["attributes"] = {key: value for key, _, value in recorded["attributes"]}
    return call_row(**changes)


def calls(name: str) -> list[tuple[Row, dict[str, Any]]]:
    """The model calls of a recording, with the attributes as they were sent."""
    request = ExportTraceServiceRequest.FromString((RECORDED / f"{name}.binpb").read_bytes())
    sent = {
        span.span_id.hex(): {each.key: each.value.string_value for each in span.attributes}
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    }
    return [(stored_row(row), sent[row["span_id"]]) for row in captured(name) if row["kind"] == "LLM"]


def sent_body(attributes: Mapping[str, str], names: tuple[str, ...]) -> Any:
    found = next((attributes[name] for name in names if name in attributes), None)
    return None if found is None else without_nulls(json.loads(found))


def says_less(part: Any, whole: Any) -> bool:
    """Whether all that `part` says is said by `whole`."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(key in whole and says_less(value, whole[key]) for key, value in part.items())
    if isinstance(part, list) and isinstance(whole, list) and len(part) == len(whole):
        return all(says_less(*each) for each in zip(part, whole, strict=True))
    return bool(part == whole)


@pytest.mark.parametrize("name", CLIENTS)
def test_a_rebuilt_request_is_the_one_that_was_sent(name: str) -> None:
    found = calls(name)
    assert found
    for row, attributes in found:
        call = call_of(row)
        sent = sent_body(attributes, REQUESTS)
        assert without_nulls(form_of(call).request(call)) == sent


@pytest.mark.parametrize("name", [name for name in CLIENTS if name != "openinference_openai_responses"])
def test_a_rebuilt_response_says_what_came_back(name: str) -> None:
    for row, attributes in calls(name):
        sent = sent_body(attributes, RESPONSES_SENT)
        call = call_of(row)
        rebuilt = without_nulls(form_of(call).response(call))
        if sent is None:
            assert rebuilt == {"error": {"message": row["error"], "type": row["error_type"]}}
            continue
        if sent.get("object") == "chat.completion.chunk":  # what an instrumentation made of a stream
            sent["object"] = "chat.completion"
        assert says_less(rebuilt, sent)
        essential = {"choices", "content", "output", "usage", "model", "id", "stop_reason", "service_tier", "status"}
        assert essential & sent.keys() <= rebuilt.keys()


def test_a_message_of_the_responses_api_is_rebuilt_without_its_ids_where_the_span_has_none() -> None:
    ((row, _),) = calls("openinference_openai_responses")
    body = RESPONSES.response(call_of(row))
    assert body["output"] == [
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Order A-1001 ships tomorrow."}],
        }
    ]
    assert body["usage"] == {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 60},
        "output_tokens": 20,
        "output_tokens_details": {"reasoning_tokens": 5},
        "total_tokens": 120,
    }


def test_a_request_to_gemini_is_rebuilt_as_it_goes_over_the_wire() -> None:
    found = [(row, sent) for row, sent in calls("google_adk_v1_agent") if row["name"] == "call_llm"]
    for row, attributes in found:
        sent = camel(json.loads(attributes[REQUESTS[-1]]))
        config = sent["config"]
        body = GEMINI.request(call_of(row))
        assert form_of(call_of(row)) is GEMINI
        assert body["model"] == sent["model"]
        assert body["contents"] == sent["contents"]
        assert body["systemInstruction"] == {"parts": [{"text": config["systemInstruction"]}]}
        declared = {each["name"]: each for each in config["tools"][0]["functionDeclarations"]}
        for each in body["tools"][0]["functionDeclarations"]:
            assert each["description"] == declared[each["name"]]["description"]
    body = GEMINI.response(call_of(found[0][0]))
    assert body["candidates"] == [
        {
            "content": {
                "role": "model",
                "parts": [{"functionCall": {"id": "call_1", "name": "look_up_order", "args": {"order_id": "A-1001"}}}],
            },
            "finishReason": "STOP",
            "index": 0,
        }
    ]
    assert body["usageMetadata"] == {
        "promptTokenCount": 100,
        "cachedContentTokenCount": 60,
        "candidatesTokenCount": 15,
        "thoughtsTokenCount": 5,
        "totalTokenCount": 120,
    }


def camel(value: Any) -> Any:
    if isinstance(value, dict):
        names = {"function_call": "functionCall", "function_response": "functionResponse"}
        names |= {"system_instruction": "systemInstruction", "function_declarations": "functionDeclarations"}
        return {names.get(key, key): camel(each) for key, each in value.items()}
    return [camel(each) for each in value] if isinstance(value, list) else value


def test_bodies_that_a_span_carries_are_shown_as_they_are() -> None:
    ((row, attributes),) = calls("openinference_openai_chat")
    found = bodies(row, NAMES)
    assert found.request == json.loads(attributes["input.value"])
    assert found.response == json.loads(attributes["output.value"])
    assert found.origin == "request=reported, response=reported"


def test_objects_of_a_framework_are_no_bodies() -> None:
    ((row, _),) = calls("openinference_langchain_chat")
    found = bodies(row, NAMES)
    assert found.origin == "request=rebuilt, response=rebuilt"
    assert found.request["messages"][-1] == {"role": "user", "content": "Where is my order A-1001?"}
    assert found.response["choices"][0]["message"]["content"] == "Order A-1001 ships tomorrow."


def test_each_body_is_reported_or_rebuilt_by_itself() -> None:
    row = call_row(attributes={"letta.request_json": '{"model": "m", "messages": []}'})
    found = bodies(row, NAMES)
    assert found.request == {"model": "m", "messages": []}
    assert found.response["choices"][0]["message"]["content"] == "Paris."
    assert found.origin == "request=reported, response=rebuilt"


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ({"model": "m"}, {"model": "m"}),
        ('{"anything": 1}', {"anything": 1}),
        ("[1, 2]", {"_value": [1, 2]}),
        ("5", {"_value": 5}),
        ('{"cut": "of', {"_raw": '{"cut": "of'}),
    ],
)
def test_a_configured_attribute_is_a_body_whatever_it_holds(sent: Any, shown: dict[str, Any]) -> None:
    row = call_row(attributes={"letta.request_json": sent, "input.value": '{"model": "m", "messages": []}'})
    assert bodies(row, NAMES).request == shown


@pytest.mark.parametrize(
    "sent", ["", "{", "[]", "null", '{"messages": []}', '{"model": 5, "messages": []}', '{"model": "m"}']
)
def test_what_is_no_request_of_a_provider_is_not_taken_for_one(sent: str) -> None:
    assert not bodies(call_row(attributes={"input.value": sent}), NAMES).request_reported


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
PART_TYPES = (
    "text", "reasoning", "refusal", "tool_call", "tool_call_response", "server_tool_call", "server_tool_call_response", "blob",
    "uri", "file", "json", "other",
)  # fmt: skip
PART_KEYS = (
    "content",
    "id",
    "name",
    "arguments",
    "response",
    "modality",
    "mime_type",
    "uri",
    "file_id",
    "is_error",
    "extra",
)
PARTS = st.builds(
    lambda kind, fields: {"type": kind, **fields},
    st.sampled_from(PART_TYPES),
    st.dictionaries(st.sampled_from([*PART_KEYS, *PART_TYPES]), JSON, max_size=4),
)
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {
            "role": st.sampled_from(["system", "user", "assistant", "tool", "developer", "other"]),
            "parts": st.lists(PARTS),
        },
        optional={"name": JSON, "finish_reason": JSON},
    ),
    max_size=3,
)
CONTENT: Callable[[Any], st.SearchStrategy[str]] = lambda values: (values | JSON).map(json.dumps) | st.text(max_size=8)  # noqa: E731


@settings(max_examples=300, deadline=None)
@given(
    asked=CONTENT(MESSAGES),
    answered=CONTENT(MESSAGES),
    system=CONTENT(st.lists(PARTS)),
    tools=CONTENT(JSON),
    form=st.sampled_from(FORMS),
)
def test_nothing_that_is_stored_makes_a_body_fail(
    asked: str, answered: str, system: str, tools: str, form: Form
) -> None:
    row = call_row(input=asked, output=answered, system_instructions=system, tool_definitions=tools)
    call = call_of(row)
    assert isinstance(form.request(call), dict)
    assert isinstance(form.response(call), dict)
    step_messages("step-1", row, NAMES)
