"""Logfire: spans recorded from the package, in its current format and in version 1; by hand what older releases send."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.otlp import Pairs
from tests.unit.enrich.building import Sent, enriched, only
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
    REPORTED_TOO,
    SYSTEM,
    SYSTEM_PARTS,
    TOOL,
    facts,
)

EVERYWHERE = {"dialect": "logfire", "environment": "test", "release": "1.0"}
REQUEST = {
    **EVERYWHERE,
    "tags": ["LLM"],
    "operation": "chat",
    "provider": "openai",
    "request_model": "gpt-4o",
    "model_parameters": {"temperature": 0.2},
    "input": ASKED_WITH_SYSTEM,
}
CHAT = {
    **REQUEST,
    **GPT_4O_OBJECT,
    **GPT_4O_COST,
    "kind": "LLM",
    "response_model": "gpt-4o-2024-08-06",
    "finish_reasons": ["stop"],
    "output": [{**ANSWERED[0], "finish_reason": "stop"}],
    "token_basis": "inclusive_total",
    **REPORTED_TOO,
}
CLAUDE_CALL = {
    "type": "tool_call",
    "id": "toolu_lookup_1",
    "name": "look_up_order",
    "arguments": {"order_id": "A-1001"},
}
RESULT = {"type": "tool_call_response", "id": "call_lookup_1", "response": '{"status": "packed"}'}
RAW = {
    "prompt_tokens": 100,
    "completion_tokens": 20,
    "prompt_tokens_details": {"cached_tokens": 60},
    "completion_tokens_details": {"reasoning_tokens": 5},
}


def answered(row: dict[str, Any]) -> dict[str, Any]:
    """The facts of a row without its response's id, which is counted on from case to case."""
    found = facts(row)
    assert found.pop("response_id").startswith(("chatcmpl-demo-", "resp_demo_", "msg_demo_"))
    return found


def test_a_chat_is_complete_and_an_applications_own_span_is_nothing_else() -> None:
    own, chat = captured("logfire_chat")
    assert facts(own) == {**EVERYWHERE, "kind": "OTHER", "tags": ["shop"]}
    assert answered(chat) == CHAT


def test_tools_are_definitions_without_the_form_of_openai() -> None:
    first, second = captured("logfire_tools")
    assert answered(first) == {
        **CHAT,
        "finish_reasons": ["tool_calls"],
        "tool_definitions": [TOOL],
        "output": [{**CALLED[0], "finish_reason": "tool_calls"}],
        "tool_calls": CALLS,
    }
    assert answered(second)["input"] == [*ASKED_WITH_SYSTEM, *CALLED, {"role": "tool", "parts": [RESULT]}]


def test_of_a_streamed_call_only_the_span_that_has_the_answer_is_a_model_call() -> None:
    _, request, log = captured("logfire_stream")
    assert facts(request) == {**REQUEST, "kind": "OTHER", "response_model": "gpt-4o"}
    assert answered(log) == CHAT


def test_a_span_that_announces_another_is_no_second_call() -> None:
    rows = captured("logfire_pending")
    by_kind = [(row["kind"], row["name"].split()[0]) for row in rows]
    assert sorted(by_kind) == [("LLM", "Chat"), ("OTHER", "Chat"), ("OTHER", "answer"), ("OTHER", "answer")]
    (call,) = [row for row in rows if row["kind"] == "LLM"]
    assert answered(call) == CHAT
    assert [row["input_tokens"] for row in rows if row is not call] == [None] * 3


def test_a_pending_span_of_any_instrumentation_is_no_call() -> None:
    pending, chat = enriched(
        Sent({"gen_ai.operation.name": "chat", "logfire.span_type": "pending_span"}),
        Sent({"gen_ai.operation.name": "chat", "model_request_parameters": "{}", "gen_ai.usage.input_tokens": 1}),
    )
    assert (pending["kind"], chat["kind"], chat["dialect"]) == ("OTHER", "LLM", "pydantic_ai")


def test_a_call_of_the_responses_api_has_its_instructions() -> None:
    (row,) = captured("logfire_responses")
    found = answered(row)
    assert (found["system_instructions"], found["input"], found["output"]) == (SYSTEM_PARTS, ASKED, ANSWERED)
    assert found | GPT_4O | GPT_4O_COST == found


def test_a_failed_call_stays_a_model_call() -> None:
    (row,) = map(facts, captured("logfire_failure"))
    assert row == {
        **REQUEST,
        "kind": "LLM",
        "request_model": "gpt-4o-broken",
        "response_model": "gpt-4o-broken",
        "error_type": "openai.InternalServerError",
        "error": "InternalServerError: Error code: 500 - The server had an error while processing your request.",
    }


def test_an_embedding_is_billed() -> None:
    (row,) = map(facts, captured("logfire_embedding"))
    assert row == {
        **EVERYWHERE,
        **EMBEDDING_COST,
        "kind": "EMBEDDING",
        "operation": "embeddings",
        "provider": "openai",
        "request_model": "text-embedding-3-small",
        "response_model": "text-embedding-3-small",
        "tags": ["LLM"],
        "input_tokens": 8,
        "total_tokens": 8,
        "token_basis": "inclusive_dialect",
        "cost_reported": EMBEDDING_COST["cost_total"],
    }


def test_anthropics_cached_tokens_are_counted_once() -> None:
    first, second = map(answered, captured("logfire_anthropic"))
    call = {
        **EVERYWHERE,
        **CLAUDE,
        **CLAUDE_COST,
        "kind": "LLM",
        "operation": "chat",
        "provider": "anthropic",
        "request_model": "claude-sonnet-4-5",
        "response_model": "claude-sonnet-4-5-20250929",
        "service_tier": "standard",
        "tags": ["LLM"],
        "cache_write_1h_tokens": 0,
        "model_parameters": {"max_tokens": 100},
        "system_instructions": SYSTEM_PARTS,
        "finish_reasons": ["end_turn"],
        "output": [{**ANSWERED[0], "finish_reason": "end_turn"}],
        "token_basis": "exclusive_dialect",
        "cost_reported": CLAUDE_COST["cost_total"],
    }
    assert first == {**call, "input": ASKED}
    result = {**RESULT, "id": "toolu_lookup_1"}
    asked = [*ASKED, {"role": "assistant", "parts": [CLAUDE_CALL]}, {"role": "user", "parts": [result]}]
    assert second == {**call, "input": asked, "tool_definitions": [TOOL]}


def test_version_1_has_the_messages_in_the_data_of_request_and_response() -> None:
    (row,) = captured("logfire_v1_chat")
    assert answered(row) == {
        **CHAT,
        "input": [*ASKED_WITH_SYSTEM, *CALLED, {"role": "tool", "parts": [RESULT]}],
        "output": ANSWERED,
        "tool_definitions": [TOOL],
    }
    assert not {"request_data", "response_data", "gen_ai.tool.definitions"} & {key for key, _, _ in row["attributes"]}
    request, log = captured("logfire_v1_stream")
    parameters = {"temperature": 0.2, "stream": True, "stream_options": {"include_usage": True}}
    assert facts(request) == {**REQUEST, "kind": "OTHER", "response_model": "gpt-4o", "model_parameters": parameters}
    assert answered(log) == {**CHAT, "output": ANSWERED, "model_parameters": parameters}


def chat(attributes: Pairs) -> dict[str, Any]:
    """A model call of Logfire, told by its attributes."""
    named = {"logfire.msg_template": "Chat", "gen_ai.request.model": "gpt-4o", "gen_ai.operation.name": "chat"}
    return facts(only({**named, **dict(attributes)}))


def test_the_cached_tokens_of_older_releases_are_in_the_providers_own_usage() -> None:
    """By hand: release 5.1 sends them nowhere else."""
    found = chat(
        {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 20, "gen_ai.usage.raw": json.dumps(RAW)}
    )
    assert found | GPT_4O | GPT_4O_COST == found


def test_the_usage_of_the_first_releases_is_in_the_response() -> None:
    """By hand, from the package's history: neither usage attributes nor message attributes."""
    request = {"model": "gpt-4o", "messages": [{"role": "user", "content": QUESTION}], "temperature": 0.2}
    response = {"message": {"role": "assistant", "content": ANSWERED[0]["parts"][0]["content"]}, "usage": RAW}
    found = chat({"request_data": json.dumps(request), "response_data": json.dumps(response)})
    assert found | GPT_4O | GPT_4O_COST == found
    assert (found["kind"], found["input"], found["output"]) == ("LLM", ASKED, ANSWERED)


def test_the_text_of_a_stream_of_the_first_releases_is_one_message() -> None:
    response = {"combined_chunk_content": ANSWERED[0]["parts"][0]["content"], "chunk_count": 3}
    found = chat({"response_data": json.dumps(response), "logfire.span_type": "log"})
    assert (found["kind"], found["output"]) == ("LLM", ANSWERED)


def test_events_as_a_list_are_messages() -> None:
    """By hand, from the package's source: the events of the older conventions, as JSON text."""
    events = [
        {"event.name": "gen_ai.system.message", "content": SYSTEM, "role": "system"},
        {"event.name": "gen_ai.user.message", "content": QUESTION, "role": "user"},
        {"event.name": "gen_ai.choice", "index": 0, "message": {"role": "assistant", "content": "Tomorrow."}},
    ]
    found = chat({"events": json.dumps(events), "gen_ai.usage.input_tokens": 1})
    assert found["input"] == ASKED_WITH_SYSTEM
    assert found["output"][0]["parts"] == [{"type": "text", "content": "Tomorrow."}]


@pytest.mark.parametrize("raw", ["[]", "null", "{", "{}", '{"prompt_tokens": {}}', '{"input_tokens": "many"}'])
def test_a_usage_object_that_is_none_spoils_nothing_but_the_usage(raw: str) -> None:
    found = chat({"gen_ai.usage.raw": raw, "gen_ai.response.id": "r", "request_data": "[]", "response_data": "3"})
    assert (found["kind"], found["response_id"]) == ("LLM", "r")
    assert "cost_total" not in found
