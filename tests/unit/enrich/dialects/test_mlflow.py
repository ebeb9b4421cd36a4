"""MLflow Tracing: spans recorded from the package; by hand what it sends only where it runs with a server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.otlp import Pairs
from tests.unit.enrich.building import only
from tests.unit.enrich.dialects.captured import captured
from tests.unit.enrich.dialects.expected import (
    ANSWER,
    ANSWERED,
    ASKED,
    ASKED_WITH_SYSTEM,
    CALLED,
    CLAUDE,
    CLAUDE_COST,
    GPT_4O,
    GPT_4O_COST,
    GPT_4O_OBJECT,
    ORDER,
    QUESTION,
    SYSTEM_PARTS,
    TOOL,
    attribute,
    facts,
)

EVERYWHERE = {"dialect": "mlflow"}
CHAT = {
    **EVERYWHERE,
    **GPT_4O_OBJECT,
    **GPT_4O_COST,
    "kind": "LLM",
    "request_model": "gpt-4o",
    "response_model": "gpt-4o-2024-08-06",
    "service_tier": "default",
    "finish_reasons": ["stop"],
    "model_parameters": {"temperature": 0.2},
    "input": ASKED_WITH_SYSTEM,
    "output": [{**ANSWERED[0], "finish_reason": "stop"}],
    "token_basis": "inclusive_total",
}
RESULT = {"type": "tool_call_response", "id": "call_lookup_1", "response": '{"status": "packed"}'}


def answered(row: dict[str, Any]) -> dict[str, Any]:
    """The facts of a row without its response's id, which is counted on from case to case."""
    found = facts(row)
    assert found.pop("response_id").startswith(("chatcmpl-demo-", "resp_demo_", "msg_demo_"))
    return found


def test_an_agent_and_its_steps_are_told_apart_and_complete() -> None:
    agent, retriever, tool, first, second = captured("mlflow_agent")
    assert facts(agent) == {
        **EVERYWHERE,
        "kind": "AGENT",
        "agent_name": "assistant",
        "metadata": {"plan": "pro"},
        "input": {"question": QUESTION},
        "output": ANSWER,
    }
    documents = [{"id": "d-1", "content": "Parcels ship daily.", "metadata": {"source": "faq"}}]
    assert facts(retriever) == {**EVERYWHERE, "kind": "RETRIEVER", "input": QUESTION, "output": documents}
    assert facts(tool) == {
        **EVERYWHERE,
        "kind": "TOOL",
        "tool_name": "look_up_order",
        "input": {"order_id": "A-1001"},
        "output": ORDER,
    }
    asked = [*ASKED_WITH_SYSTEM, *CALLED, {"role": "tool", "parts": [RESULT]}]
    assert answered(first) == {**CHAT, "input": asked, "tool_definitions": [TOOL]}
    assert answered(second) == CHAT
    for row in (agent, retriever, tool, first, second):
        assert not {"mlflow.spanInputs", "mlflow.spanOutputs"} & {key for key, _, _ in row["attributes"]}


def test_a_stream_tells_the_time_to_its_first_chunk() -> None:
    (row,) = captured("mlflow_openai_stream")
    parameters = {"temperature": 0.2, "stream": True, "stream_options": {"include_usage": True}}
    expected = {**CHAT, "model_parameters": parameters}
    del expected["service_tier"]
    assert answered(row) == expected
    assert 0 < row["time_to_first_token_ns"] < row["latency_ns"]


def test_a_call_of_the_responses_api_has_its_instructions() -> None:
    (row,) = captured("mlflow_openai_responses")
    found = answered(row)
    assert found | GPT_4O | GPT_4O_COST == found
    assert (found["system_instructions"], found["input"]) == (SYSTEM_PARTS, ASKED)
    assert found["output"][0]["parts"][-1] == ANSWERED[0]["parts"][0]


def test_an_embedding_takes_its_tokens_from_the_response_and_leaves_the_vectors_there() -> None:
    """No provider is named, and the name of this model alone does not tell one: it has no price."""
    (row,) = captured("mlflow_openai_embedding")
    assert facts(row) == {
        **EVERYWHERE,
        "kind": "EMBEDDING",
        "request_model": "text-embedding-3-small",
        "response_model": "text-embedding-3-small",
        "input": QUESTION,
        "input_tokens": 8,
        "total_tokens": 8,
        "token_basis": "inclusive_dialect",
        "cost_source": "unpriced",
        "unpriced_reason": "unknown_model",
    }
    assert "0.25" in attribute(row, "mlflow.spanOutputs")


def test_a_failed_call_says_why() -> None:
    (row,) = map(facts, captured("mlflow_openai_failure"))
    assert row == {
        **EVERYWHERE,
        "kind": "LLM",
        "request_model": "gpt-4o-broken",
        "model_parameters": {"temperature": 0.2},
        "input": ASKED_WITH_SYSTEM,
        "error": "Error code: 500 - The server had an error while processing your request.",
        "error_type": "InternalServerError",
    }


def test_anthropics_cached_tokens_are_counted_once() -> None:
    (row,) = captured("mlflow_anthropic")
    assert answered(row) == {
        **EVERYWHERE,
        **CLAUDE,
        **CLAUDE_COST,
        "kind": "LLM",
        "provider": "anthropic",
        "request_model": "claude-sonnet-4-5",
        "response_model": "claude-sonnet-4-5-20250929",
        "service_tier": "standard",
        "finish_reasons": ["end_turn"],
        "model_parameters": {"max_tokens": 100},
        "input": ASKED,
        "output": [{**ANSWERED[0], "finish_reason": "end_turn"}],
        "system_instructions": SYSTEM_PARTS,
        "total_tokens": 630,
        "cache_write_1h_tokens": 0,
        "token_basis": "exclusive_total",
    }


def span(attributes: Pairs, span_type: str = "CHAT_MODEL") -> dict[str, Any]:
    """A span with these attributes, each value as JSON text."""
    sent = {"mlflow.spanType": span_type, **dict(attributes)}
    return facts(only({key: json.dumps(value) for key, value in sent.items()}))


def test_the_usage_that_mlflow_counts_is_read_where_no_response_has_one() -> None:
    """By hand, from the package's source."""
    usage = {"input_tokens": 610, "output_tokens": 20, "total_tokens": 630}
    cached = {"cache_read_input_tokens": 500, "cache_creation_input_tokens": 100}
    found = span({"mlflow.chat.tokenUsage": {**usage, **cached}, "mlflow.llm.model": "claude-sonnet-4-5"})
    assert found | CLAUDE | CLAUDE_COST | {"token_basis": "inclusive_total"} == found


def test_input_tokens_of_older_releases_leave_out_cached_ones() -> None:
    """By hand: what a provider counts was handed on as it came."""
    usage = {
        "input_tokens": 10,
        "output_tokens": 20,
        "cache_read_input_tokens": 500,
        "cache_creation_input_tokens": 100,
    }
    found = span({"mlflow.chat.tokenUsage": usage, "mlflow.llm.model": "claude-sonnet-4-5"})
    assert found | CLAUDE | CLAUDE_COST | {"token_basis": "exclusive_cache_exceeds_input"} == found


def test_the_sums_of_a_trace_are_not_read() -> None:
    """By hand, from the package's source: they stand on the root, and repeat its descendants."""
    sums = {"input_tokens": 200, "output_tokens": 40, "total_tokens": 240}
    found = span({"mlflow.trace.tokenUsage": sums, "mlflow.trace.cost": {"total_cost": 1.0}}, "AGENT")
    assert "input_tokens" not in found
    assert "cost_total" not in found


def test_session_and_user_are_json_texts() -> None:
    for session, user in (("mlflow.trace.session", "mlflow.trace.user"), ("session.id", "user.id")):
        found = span({session: "conversation-42", user: "user-7"})
        assert (found["session_id"], found["user_id"]) == ("conversation-42", "user-7")


@pytest.mark.parametrize(
    ("span_type", "kind"),
    [
        ("LLM", "LLM"),
        ("CHAIN", "CHAIN"),
        ("WORKFLOW", "CHAIN"),
        ("TASK", "CHAIN"),
        ("PARSER", "CHAIN"),
        ("RERANKER", "RERANKER"),
        ("GUARDRAIL", "GUARDRAIL"),
        ("EVALUATOR", "EVALUATOR"),
        ("MEMORY", "OTHER"),
        ("UNKNOWN", "OTHER"),
        ("SOMETHING", "OTHER"),
    ],
)
def test_every_type_of_span_has_its_kind_in_json_or_not(span_type: str, kind: str) -> None:
    assert span({}, span_type)["kind"] == kind
    assert only({"mlflow.spanType": span_type})["kind"] == kind


def test_langchains_generations_are_a_response() -> None:
    """By hand: what MLflow records of LangChain's models."""
    message = {"type": "ai", "content": ANSWER, "response_metadata": {"model_name": "gpt-4o-2024-08-06"}}
    usage = {"input_tokens": 100, "output_tokens": 20, "total_tokens": 120, "input_token_details": {"cache_read": 60}}
    outputs = {"generations": [[{"text": ANSWER, "message": {**message, "usage_metadata": usage}}]]}
    inputs = [[{"type": "human", "content": QUESTION}]]
    found = span({"mlflow.spanInputs": inputs, "mlflow.spanOutputs": outputs})
    assert (found["input"], found["output"][0]["parts"]) == (ASKED, ANSWERED[0]["parts"])
    assert (found["input_tokens"], found["cache_read_tokens"], found["response_model"]) == (
        100,
        60,
        "gpt-4o-2024-08-06",
    )


@pytest.mark.parametrize("odd", ["", "{", "[", "null", "3", '"x"', "[[[]]]", '{"a": {}}'])
@pytest.mark.parametrize("span_type", ["CHAT_MODEL", "EMBEDDING", "TOOL", "RETRIEVER", "AGENT", "?"])
def test_values_of_any_form_are_kept(span_type: str, odd: str) -> None:
    keys = ("mlflow.spanInputs", "mlflow.spanOutputs")
    row = only({"mlflow.spanType": span_type, **dict.fromkeys(keys, odd), "mlflow.chat.tokenUsage": odd})
    assert row["dialect"] == "mlflow"
    for key, column in zip(keys, ("input", "output"), strict=True):
        assert attribute(row, key) is not None or row[column] != ""
