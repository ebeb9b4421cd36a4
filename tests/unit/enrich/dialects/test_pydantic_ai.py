"""Pydantic AI: spans recorded from the packages in the formats 1, 2, 5 and 6; by hand the others.

Formats 3 and 4 write the same as 2 but for thoughts and media, and format 5 the same as 4 but for the status of deferred tools.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

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
    GPT_4O,
    GPT_4O_COST,
    ORDER,
    REPORTED_TOO,
    SCHEMA,
    SYSTEM_PARTS,
    TOOL,
    attribute,
    facts,
)

EVERYWHERE = {"dialect": "pydantic_ai", "environment": "test"}
OFFERED = {**TOOL, "parameters": {**SCHEMA, "additionalProperties": False}}
CALL = {
    **EVERYWHERE,
    **GPT_4O,
    **GPT_4O_COST,
    "kind": "LLM",
    "operation": "chat",
    "provider": "openai",
    "request_model": "gpt-4o",
    "response_model": "gpt-4o-2024-08-06",
    "tool_definitions": [OFFERED],
    "token_basis": "inclusive_scope",
}
AS_TEXT = {**CALLED[0]["parts"][0], "arguments": '{"order_id": "A-1001"}'}
CALLS_AS_TEXT = [{**CALLS[0], "arguments": '{"order_id": "A-1001"}'}]
CALLED_AS_TEXT = {"role": "assistant", "parts": [AS_TEXT], "finish_reason": "tool_call"}
RESULT = {"type": "tool_call_response", "id": "call_lookup_1", "response": ORDER, "name": "look_up_order"}
FINAL = [{**ANSWERED[0], "finish_reason": "stop"}]
IN_RUN = {"session_id": "conversation-42", "agent_name": "shop_assistant"}


def by_kind(name: str) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]:
    """The facts of the agent's, the models' and the tool's span."""
    rows = captured(name)
    (agent,) = (facts(row) for row in rows if row["kind"] == "AGENT")
    (tool,) = (facts(row) for row in rows if row["kind"] == "TOOL")
    return agent, [facts(row) for row in rows if row["kind"] == "LLM"], tool


@pytest.mark.parametrize(("number", "role"), [(2, "user"), (5, "user"), (6, "tool")])
def test_a_run_is_an_agent_around_its_calls_in_every_format(number: int, role: str) -> None:
    """pydantic/pydantic-ai#3995: the agent repeats the usage of its calls; #4364: cached tokens are part of the input;
    langfuse/langfuse#16489: so are the details.
    """
    agent, (first, second), tool = by_kind(f"pydantic_ai_v{number}_agent")
    for found in (first, second):
        assert found.pop("response_id").startswith("chatcmpl-demo-")
    call = {**CALL, **IN_RUN, **REPORTED_TOO, "system_instructions": SYSTEM_PARTS}
    answered = {"role": role, "parts": [RESULT]}
    assert first == {
        **call,
        "finish_reasons": ["tool_call"],
        "input": ASKED,
        "output": [CALLED_AS_TEXT],
        "tool_calls": CALLS_AS_TEXT,
    }
    asked = [*ASKED, CALLED_AS_TEXT, answered]
    assert second == {**call, "finish_reasons": ["stop"], "input": asked, "output": FINAL}
    assert agent == {
        **EVERYWHERE,
        **IN_RUN,
        "kind": "AGENT",
        "operation": "invoke_agent",
        "request_model": "gpt-4o",
        "system_instructions": SYSTEM_PARTS,
        "input": asked,
        "output": FINAL,
    }
    assert tool == {
        **EVERYWHERE,
        **IN_RUN,
        "kind": "TOOL",
        "operation": "execute_tool",
        "tool_name": "look_up_order",
        "tool_call_id": "call_lookup_1",
        "input": {"order_id": "A-1001"},
        "output": ORDER,
    }


def test_format_1_has_events_for_messages_and_names_for_operations() -> None:
    rows = captured("pydantic_ai_v1_agent")
    agent, (first, second), tool = by_kind("pydantic_ai_v1_agent")
    result = {name: value for name, value in RESULT.items() if name != "name"}
    asked = [*ASKED_WITH_SYSTEM, *CALLED, {"role": "tool", "parts": [result], "name": "look_up_order"}]
    assert first == {**CALL, "input": ASKED_WITH_SYSTEM, "output": CALLED, "tool_calls": CALLS}
    assert second == {**CALL, "input": asked, "output": ANSWERED}
    assert (agent["agent_name"], agent["input"], agent["output"]) == ("shop_assistant", asked, ANSWERED)
    assert (agent["input_tokens"], agent["cache_read_tokens"], agent["reasoning_tokens"]) == (200, 120, 10)
    assert tool == {
        **EVERYWHERE,
        "kind": "TOOL",
        "tool_name": "look_up_order",
        "tool_call_id": "call_lookup_1",
        "input": {"order_id": "A-1001"},
    }
    assert [row["kind"] for row in rows if row["name"] == "running tools"] == ["CHAIN"]


def test_usage_on_the_agent_is_only_what_its_calls_have() -> None:
    agent, calls, _ = by_kind("pydantic_ai_usage_on_agent")
    assert agent["kind"] == "AGENT"
    assert agent["input_tokens"] == sum(call["input_tokens"] for call in calls) == 200


def test_aggregated_usage_is_not_read() -> None:
    (row,) = [row for row in captured("pydantic_ai_v5_agent") if row["kind"] == "AGENT"]
    assert attribute(row, "gen_ai.aggregated_usage.input_tokens") == 200
    assert (row["input_tokens"], row["cost_total"], row["token_basis"]) == (None, None, "")


def test_anthropics_cached_tokens_are_counted_once() -> None:
    _, calls, _ = by_kind("pydantic_ai_anthropic")
    for call in calls:
        assert call | CLAUDE | CLAUDE_COST == call
        assert (call["provider"], call["response_model"]) == ("anthropic", "claude-sonnet-4-5-20250929")


def test_a_stream_tells_the_time_to_its_first_chunk() -> None:
    calls = [row for row in captured("pydantic_ai_stream") if row["kind"] == "LLM"]
    for call in calls:
        seconds = attribute(call, "gen_ai.client.operation.time_to_first_chunk")
        assert 0 < call["time_to_first_token_ns"] == round(seconds * 1e9) < call["latency_ns"]


def test_a_failed_run_says_why_on_the_call_and_on_the_agent() -> None:
    for row in map(facts, captured("pydantic_ai_failure")):
        assert row["error_type"] == "pydantic_ai.exceptions.ModelServerError"
        assert "status_code: 500" in row["error"]
        assert "cost_total" not in row


def test_thoughts_are_reasoning() -> None:
    """By hand, from the package's source: format 3 and later."""
    parts = [{"type": "thinking", "content": "Short."}, {"type": "text", "content": "Hi"}]
    sent = {
        "gen_ai.operation.name": "chat",
        "gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": parts}]),
        "model_request_parameters": "{}",
    }
    found = facts(only(sent))
    assert found["output"][0]["parts"][0] == {"type": "reasoning", "content": "Short."}


def test_details_are_parts_whatever_else_is_told() -> None:
    """langfuse/langfuse#16489: details were added to the counts that they repeat."""
    sent = {
        "model_request_parameters": "{}",
        "gen_ai.operation.name": "chat",
        "gen_ai.usage.input_tokens": 610,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read.input_tokens": 500,
        "gen_ai.usage.details.cache_read_tokens": 500,
        "gen_ai.usage.details.cache_write_tokens": 100,
        "gen_ai.usage.details.text_prompt_tokens": 10,
        "gen_ai.usage.details.thoughts_tokens": 5,
    }
    found = facts(only(sent))
    assert found | CLAUDE | {"reasoning_tokens": 5} == found


def test_a_result_that_is_an_object_is_the_output_of_a_run_that_ends_with_a_tool() -> None:
    """By hand: a structured result is the call of an output tool, which the conversation ends with the answer to."""
    returned = {"role": "user", "parts": [RESULT]}
    sent = {"pydantic_ai.all_messages": json.dumps([*ASKED, *CALLED, returned]), "final_result": '{"city": "Oslo"}'}
    found = facts(only({"gen_ai.operation.name": "invoke_agent", **sent}))
    assert (found["input"], found["output"]) == ([*ASKED, *CALLED, returned], {"city": "Oslo"})


def test_what_a_run_is_told_about_itself_is_metadata() -> None:
    found = facts(only({"model_request_parameters": "{}", "metadata": '{"tenant": "north"}'}))
    assert found["metadata"] == {"tenant": "north"}


@pytest.mark.parametrize("odd", ["", "{", "[1]", '{"a": 1}', "3"])
def test_content_that_is_no_messages_stays_as_it_is(odd: str) -> None:
    keys = ("events", "pydantic_ai.all_messages", "gen_ai.input.messages", "model_request_parameters")
    rows = enriched(*(Sent({"pydantic_ai.x": "", key: odd}) for key in keys))
    for row, key in zip(rows, keys, strict=True):
        assert row["dialect"] == "pydantic_ai"
        kept = attribute(row, key) == odd
        assert kept or json.loads(row["input"]), "what was moved is in the column"
