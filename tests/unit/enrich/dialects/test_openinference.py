"""OpenInference: what its instrumentations of openai, anthropic and langchain sent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson
import pytest

from tests.unit.enrich.dialects.captured import captured
from tests.unit.enrich.dialects.expected import (
    ANSWERED,
    ASKED,
    ASKED_WITH_SYSTEM,
    CALLED,
    CALLS,
    CLAUDE,
    CLAUDE_COST,
    EMBEDDING_COST,
    GPT_4O,
    GPT_4O_COST,
    GPT_4O_OBJECT,
    QUESTION,
    TOOL,
    TOOL_CALL,
    attribute,
    facts,
    text,
)

LLM: dict[str, Any] = {"dialect": "openinference", "kind": "LLM", "operation": "chat"}
OPENAI: dict[str, Any] = {
    **LLM,
    "provider": "openai",
    "request_model": "gpt-4o",
    "response_model": "gpt-4o-2024-08-06",
    "service_tier": "default",
    "finish_reasons": ["stop"],
    "model_parameters": {"temperature": 0.2},
    "input": ASKED_WITH_SYSTEM,
    "output": ANSWERED,
    "token_basis": "inclusive_total",
    **GPT_4O_OBJECT,
    **GPT_4O_COST,
}
ANTHROPIC: dict[str, Any] = {
    **LLM,
    "provider": "anthropic",
    "request_model": "claude-sonnet-4-5",
    "response_model": "claude-sonnet-4-5-20250929",
    "service_tier": "standard",
    "finish_reasons": ["end_turn"],
    "model_parameters": {"max_tokens": 100},
    "input": ASKED_WITH_SYSTEM,
    "output": ANSWERED,
    "token_basis": "inclusive_total",
    "total_tokens": 630,
    "cache_write_1h_tokens": 0,
    **CLAUDE,
    **CLAUDE_COST,
}
CLAUDE_CALL = {**TOOL_CALL, "id": "toolu_lookup_1"}
PACKED = '{"status": "packed"}'


def responded(call: dict[str, Any]) -> list[dict[str, Any]]:
    """The conversation with a call of the tool, and its result."""
    result = {"type": "tool_call_response", "id": call["id"], "response": PACKED}
    return [*ASKED_WITH_SYSTEM, {"role": "assistant", "parts": [call]}, {"role": "tool", "parts": [result]}]


# ---- openai


def test_a_chat_of_openai_is_complete() -> None:
    (row,) = captured("openinference_openai_chat")
    assert facts(row) == {
        **OPENAI,
        "response_id": "chatcmpl-demo-1",
        "session_id": "conversation-42",
        "user_id": "user-7",
        "tags": ["shop", "beta"],
        "metadata": {"plan": "pro"},
        "prompt_version": "v3",
        "environment": "test",
    }
    assert row["time_to_first_token_ns"] is None


def test_flattened_messages_are_content_and_the_raw_request_and_response_stay_attributes() -> None:
    (row,) = captured("openinference_openai_chat")
    keys = {key for key, _, _ in row["attributes"]}
    assert not {key for key in keys if key.startswith("llm.input_messages") or key.startswith("llm.output_messages")}
    assert orjson.loads(attribute(row, "input.value"))["messages"][1]["content"] == QUESTION
    assert {"output.value", "llm.token_count.prompt", "metadata", "tag.tags"} <= keys


def test_a_stream_of_openai_has_the_time_of_its_first_token() -> None:
    """Tracely PR#51, mastra#9444: the event that OpenInference marks the first token with."""
    (row,) = captured("openinference_openai_stream")
    parameters = {"temperature": 0.2, "stream_options": {"include_usage": True}}
    assert facts(row) == {
        **OPENAI,
        "response_id": "chatcmpl-demo-2",
        "model_parameters": parameters,
        "environment": "test",
    }
    (event,) = row["events"]
    assert event["name"] == "First Token Stream Event"
    assert 20_000_000 <= row["time_to_first_token_ns"] < row["latency_ns"]


def test_tools_that_openai_is_offered_and_calls_are_told_in_full() -> None:
    called, answered = captured("openinference_openai_tools")
    shared = {**OPENAI, "tool_definitions": [TOOL], "environment": "test"}
    assert facts(called) == {
        **shared,
        "response_id": "chatcmpl-demo-3",
        "finish_reasons": ["tool_calls"],
        "output": CALLED,
        "tool_calls": CALLS,
    }
    assert facts(answered) == {**shared, "response_id": "chatcmpl-demo-4", "input": responded(TOOL_CALL)}


def test_an_embedding_of_openai_has_its_model_and_its_text_and_keeps_the_vector_an_attribute() -> None:
    (row,) = captured("openinference_openai_embedding")
    assert facts(row) == {
        "dialect": "openinference",
        "kind": "EMBEDDING",
        "operation": "embeddings",
        "provider": "openai",
        "request_model": "text-embedding-3-small",
        "model_parameters": {"encoding_format": "base64"},
        "input": ASKED,
        "input_tokens": 8,
        "total_tokens": 8,
        "token_basis": "inclusive",
        "environment": "test",
        **EMBEDDING_COST,
    }
    assert orjson.loads(attribute(row, "embedding.embeddings.0.embedding.vector")) == [0.25, -0.5, 0.75, -1.0]


def test_a_failed_call_has_the_model_that_was_asked_for_its_input_and_its_error() -> None:
    (row,) = captured("openinference_openai_failure")
    assert facts(row) == {
        **LLM,
        "provider": "openai",
        "request_model": "gpt-4o-broken",
        "model_parameters": {"temperature": 0.2},
        "input": ASKED_WITH_SYSTEM,
        "error": ("InternalServerError: Error code: 500 - The server had an error while processing your request."),
        "error_type": "openai.InternalServerError",
        "environment": "test",
    }


def test_a_response_of_openai_is_as_complete_as_a_chat() -> None:
    (row,) = captured("openinference_openai_responses")
    expected = {
        **OPENAI,
        **GPT_4O,
        "response_id": "resp_demo_6",
        "total_tokens": 120,
        "environment": "test",
    }
    for absent in ("finish_reasons", "model_parameters", "input_audio_tokens", "output_audio_tokens"):
        del expected[absent]
    found = facts(row)
    assert found.pop("output")[-1] == expected.pop("output")[0]  # before it, a message of reasoning that says nothing
    assert found == expected


# ---- anthropic


@pytest.mark.parametrize(("name", "response_id"), [("chat", "msg_demo_7"), ("stream", "msg_demo_8")])
def test_a_call_of_anthropic_costs_what_its_buckets_cost(name: str, response_id: str) -> None:
    """Langfuse #12306, #10592, #12635, #14902: cached tokens are within the prompt, and are not to be added to it."""
    (row,) = captured(f"openinference_anthropic_{name}")
    assert facts(row) == {**ANTHROPIC, "response_id": response_id, "environment": "test"}
    assert row["cost_total"] == Decimal("0.000855")


def test_tools_that_anthropic_calls_are_told_once_although_they_are_sent_twice() -> None:
    called, answered = captured("openinference_anthropic_tools")
    shared = {**ANTHROPIC, "tool_definitions": [TOOL], "environment": "test"}
    assert facts(called) == {
        **shared,
        "response_id": "msg_demo_9",
        "finish_reasons": ["tool_use"],
        "output": [{"role": "assistant", "parts": [CLAUDE_CALL]}],
        "tool_calls": [{**CALLS[0], "id": "toolu_lookup_1"}],
    }
    assert facts(answered) == {**shared, "response_id": "msg_demo_10", "input": responded(CLAUDE_CALL)}


def test_a_call_that_the_client_reports_as_well_is_the_same_to_the_last_token_in_both() -> None:
    """anthropic-python reports its calls itself, below the instrumentation's span and in another dialect."""
    outer, inner = captured("openinference_anthropic_native_below")
    assert inner["parent_span_id"] == outer["span_id"]
    assert (outer["dialect"], outer["kind"], inner["kind"]) == ("openinference", "LLM", "LLM")
    shared = (*CLAUDE, "cost_total", "provider", "request_model", "response_model", "response_id")
    assert {name: outer[name] for name in shared} == {name: inner[name] for name in shared}


# ---- langchain


def test_a_chat_of_langchain_is_complete() -> None:
    (row,) = captured("openinference_langchain_chat")
    found = facts(row)
    assert found.pop("metadata")["ls_provider"] == "openai"
    expected = {**OPENAI, "response_id": "chatcmpl-demo-12", "input": ASKED, "environment": "test"}
    del expected["model_parameters"]  # no other than the model
    assert found == expected


def test_steps_of_langchain_are_chains_around_two_chats_and_a_tool() -> None:
    """Langfuse #15814, #13746: every span has the kind that it says, whatever else it carries."""
    rows = captured("openinference_langchain_agent")
    assert [(row["name"], row["kind"]) for row in rows] == [
        ("shop", "CHAIN"),
        ("model", "CHAIN"),
        ("ChatOpenAI", "LLM"),
        ("tools", "CHAIN"),
        ("find", "TOOL"),
        ("model", "CHAIN"),
        ("ChatOpenAI", "LLM"),
    ]
    assert [row["input_tokens"] for row in rows] == [None, None, 100, None, None, None, 100]
    assert [row["cost_total"] for row in rows if row["kind"] == "LLM"] == [Decimal("0.000375")] * 2


def test_what_a_chain_is_given_is_messages_where_it_is_messages() -> None:
    root, _, called, tools, tool, step, answered = map(facts, captured("openinference_langchain_agent"))
    asked = {"role": "user", "parts": [text("A-1001?")]}
    assert root["input"] == [asked]
    assert [message["role"] for message in root["output"]] == ["user", "assistant", "tool", "assistant"]
    assert [message["role"] for message in step["input"]] == ["user", "assistant", "tool"]
    call = {**TOOL_CALL, "name": "find"}
    assert called["output"] == [{"role": "assistant", "parts": [call]}]
    assert tools["input"] == [
        {"name": "find", "args": {"order_id": "A-1001"}, "id": "call_lookup_1", "type": "tool_call"}
    ]
    assert (tool["input"], tool["output"]) == ("A-1001", "packed")
    assert (tool["tool_name"], tool["tool_call_id"]) == ("find", "call_lookup_1")
    assert answered["input"] == [
        asked,
        {"role": "assistant", "parts": [call], "name": "shop"},
        {
            "role": "tool",
            "parts": [{"type": "tool_call_response", "id": "call_lookup_1", "response": "packed"}],
            "name": "find",
        },
    ]


def test_a_retriever_of_langchain_has_its_query_and_its_documents() -> None:
    (row,) = captured("openinference_langchain_retriever")
    assert facts(row) == {
        "dialect": "openinference",
        "kind": "RETRIEVER",
        "operation": "retrieval",
        "metadata": {"ls_retriever_name": "shelf"},
        "input": QUESTION,
        "output": [
            {"content": "Parcels ship daily.", "metadata": {"source": "faq", "page": 3}},
            {"content": "Returns are free.", "metadata": {"source": "faq"}},
        ],
        "environment": "test",
    }
