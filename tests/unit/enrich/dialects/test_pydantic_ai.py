"""Pydantic AI: spans recorded from the packages in the formats 1, 2, 5 and 6; by hand the others.

Formats 3 and 4 write the same as 2 but for thoughts and media, and format 5 the same as 4 but for the status of deferred tools.
"""

from __future__ import annotations

import json
from decimal import Decimal
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
    call = {**CALL, **IN_RUN, **REPORTED_TOO, "system_instructions": SYSTEM_PARTS, "input_audio_tokens": 0}
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


# ---- by hand, from the source of 0.0.30 to 1.0.0


def gemini(counts: dict[str, int], *, version: str, model: str = "gemini-2.0-flash") -> dict[str, Any]:
    sent = {"gen_ai.operation.name": "chat", "gen_ai.system": "google-gla", "gen_ai.request.model": model}
    usage = {f"gen_ai.usage.{name}": count for name, count in counts.items()}
    return only({**sent, **usage}, name=f"chat {model}", scope="pydantic-ai", scope_version=version)


@pytest.mark.parametrize(
    ("version", "name"),
    [("0.0.40", "cached_content_token_count"), ("0.4.0", "cached_content_tokens"), ("1.20.0", "cache_read_tokens")],
)
def test_tokens_that_gemini_had_cached_have_their_own_rate_under_each_of_their_names(version: str, name: str) -> None:
    row = gemini({"input_tokens": 10_000, "output_tokens": 20, f"details.{name}": 9000}, version=version)
    assert (row["cache_read_tokens"], row["cost_total"]) == (9000, Decimal("0.000333"))


def test_tokens_that_deepseek_had_cached_are_read_under_its_own_name() -> None:
    sent = {
        "gen_ai.operation.name": "chat",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.details.prompt_cache_hit_tokens": 60,
        "gen_ai.usage.details.prompt_cache_miss_tokens": 40,
    }
    row = only(sent, scope="pydantic-ai", scope_version="1.0.0")
    assert (row["input_tokens"], row["cache_read_tokens"]) == (100, 60)


@pytest.mark.parametrize(
    ("version", "output"), [("0.3.0", 70), ("0.7.4", 70), ("0.7.5", 50), ("1.0.0", 50), ("2.68.0", 50), ("", 50)]
)
def test_thoughts_are_added_to_an_output_that_lacks_them(version: str, output: int) -> None:
    counts = {"input_tokens": 100, "output_tokens": 50, "details.thoughts_tokens": 20}
    row = gemini(counts, version=version)
    assert (row["output_tokens"], row["reasoning_tokens"]) == (output, 20)


def test_audio_and_images_of_gemini_are_told_apart() -> None:
    """They have rates of their own, and would else be billed as text."""
    counts = {
        "input_tokens": 1000,
        "output_tokens": 20,
        "details.cached_content_tokens": 400,
        "details.text_prompt_tokens": 100,
        "details.audio_prompt_tokens": 800,
        "details.image_prompt_tokens": 100,
        "details.audio_cache_tokens": 300,
        "details.image_cache_tokens": 50,
        "details.audio_candidates_tokens": 5,
        "details.image_candidates_tokens": 6,
    }
    row = gemini(counts, version="0.7.0")
    assert {name: row[name] for name in AUDIO_AND_IMAGES} == dict(
        zip(AUDIO_AND_IMAGES, (800, 100, 300, 50, 5, 6), strict=True)
    )


AUDIO_AND_IMAGES = (
    "input_audio_tokens", "input_image_tokens", "cache_read_audio_tokens", "cache_read_image_tokens",
    "output_audio_tokens", "output_image_tokens",
)  # fmt: skip


def test_audio_of_a_prompt_to_openai_is_no_text() -> None:
    sent = {
        "gen_ai.operation.name": "chat",
        "gen_ai.system": "openai",
        "gen_ai.request.model": "gpt-audio",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.details.audio_tokens": 80,
    }
    row = only(sent, scope="pydantic-ai", scope_version="0.2.0")
    assert (row["input_audio_tokens"], row["cost_total"]) == (80, Decimal("0.00281"))
