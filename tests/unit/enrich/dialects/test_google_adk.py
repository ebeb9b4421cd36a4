"""Spans of Google's ADK, as google-adk 2.13 sent them in both of its formats (see `tests/capture/record_google_adk.py`).

Older releases are by hand, from their sources (`google/adk/telemetry`, 1.0 to 2.6).
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.enrich.building import Sent, enriched
from tests.unit.enrich.dialects.captured import captured
from tests.unit.enrich.dialects.expected import ANSWER, QUESTION, SYSTEM
from tests.unit.enrich.dialects.short import (
    attributes,
    columns,
    content,
    cost,
    identity,
    kinds,
    said,
    tool_call,
    tool_result,
    usage,
)

SCOPE = "gcp.vertex.agent"
CALL = {"input_tokens": 100, "output_tokens": 20, "cache_read_tokens": 60, "reasoning_tokens": 5}
INSTRUCTION = f'{SYSTEM}\n\nYou are an agent. Your internal name is "shop".'
STORED = {"order_id": "A-1001", "status": "packed"}
GEMINI = "0.0000638"
"""USD, for 40 tokens at 0.3, 60 at 0.03 and 20 at 2.5 USD a million: gemini-2.5-flash."""


@pytest.mark.parametrize("name", ["google_adk_agent", "google_adk_litellm"])
def test_a_run_is_a_workflow_around_an_agent_that_asks_a_model_and_calls_its_tool(name: str) -> None:
    found = captured(name)
    assert [row["kind"] for row in found] == ["CHAIN", "AGENT", "LLM", "TOOL", "LLM"]
    assert [row["operation"] for row in found] == [
        "invoke_workflow",
        "invoke_agent",
        "generate_content",
        "execute_tool",
        "generate_content",
    ]
    assert {row["dialect"] for row in found} == {"google_adk"}
    assert [row["session_id"] for row in found] == ["conversation-42"] * 3 + ["", "conversation-42"]
    assert [row["agent_name"] for row in found] == ["", *["shop"] * 4]
    assert [usage(row) for row in found[:2]] == [{}, {}]


def test_a_call_of_gemini_has_the_usage_that_gemini_counted() -> None:
    for row in (captured("google_adk_agent")[2], captured("google_adk_agent")[4]):
        assert identity(row) == ("google_adk", "LLM", "generate_content", "gcp.gemini", "gemini-2.5-flash", "")
        assert (usage(row), row["token_basis"]) == (CALL, "inclusive_scope")
        assert cost(row) == (GEMINI, "computed")
        assert columns(row, "finish_reasons", "time_to_first_token_ns", "error_type") == (["stop"], None, "")


@pytest.mark.parametrize("name", ["google_adk_litellm", "google_adk_v1_litellm"])
def test_reasoning_of_a_model_behind_litellm_counts_once(name: str) -> None:
    """The sender adds reasoning to an output that has it already: it reports 25 tokens for 20."""
    calls = [row for row in captured(name) if row["operation"] == "generate_content"]
    assert len(calls) == 2
    for row in calls:
        assert attributes(row)["gen_ai.usage.output_tokens"] == 25
        assert (usage(row), cost(row)) == (CALL, ("0.000375", "computed"))
        assert identity(row) == ("google_adk", "LLM", "generate_content", "openai", "openai/gpt-4o", "")


def test_cached_tokens_of_a_model_behind_litellm_are_billed_as_such() -> None:
    """langfuse/langfuse#13988."""
    outer = [row for row in captured("google_adk_v1_litellm") if row["name"] == "call_llm"]
    for row in outer:
        assert identity(row) == ("google_adk", "LLM", "", "", "openai/gpt-4o", "gpt-4o-2024-08-06")
        assert (usage(row), row["token_basis"]) == ({**CALL, "total_tokens": 120}, "inclusive_total")
        assert cost(row) == ("0.000375", "computed")


@pytest.mark.parametrize(("name", "call_id"), [("google_adk_agent", "call_1"), ("google_adk_litellm", "call_lookup_1")])
def test_messages_stand_in_the_attributes_of_the_conventions(name: str, call_id: str) -> None:
    _, _, asked, _, told = captured(name)
    called = tool_call(call_id, {"order_id": "A-1001"})
    assert content(asked)["input"] == [said("user", QUESTION)]
    assert content(asked)["output"] == [{**called, "finish_reason": "stop"}]
    assert content(asked)["system_instructions"] == [{"type": "text", "content": INSTRUCTION}]
    assert [tool["name"] for tool in content(asked)["tool_definitions"]] == ["look_up_order"]
    assert [columns(row, "tool_calls") for row in (asked, told)] == [
        ([{"id": call_id, "name": "look_up_order", "arguments": '{"order_id":"A-1001"}'}],),
        ([],),
    ]
    assert content(told)["input"] == [said("user", QUESTION), called, tool_result(call_id, STORED, role="user")]
    assert content(told)["output"] == [said("assistant", ANSWER, finish_reason="stop")]


@pytest.mark.parametrize(
    ("name", "call_id"), [("google_adk_v1_agent", "call_1"), ("google_adk_v1_litellm", "call_lookup_1")]
)
def test_messages_stand_in_the_json_of_request_and_response(name: str, call_id: str) -> None:
    asked, told = (row for row in captured(name) if row["name"] == "call_llm")
    called = tool_call(call_id, {"order_id": "A-1001"})
    assert content(asked)["input"] == [said("user", QUESTION)]
    assert content(asked)["output"] == [called]
    assert content(asked)["system_instructions"] == [{"type": "text", "content": INSTRUCTION}]
    assert [tool["name"] for tool in content(asked)["tool_definitions"]] == ["look_up_order"]
    assert asked["tool_calls"] == [{"id": call_id, "name": "look_up_order", "arguments": '{"order_id":"A-1001"}'}]
    result = tool_result(call_id, STORED, role="user", name="look_up_order")
    assert content(told)["input"] == [said("user", QUESTION), called, result]
    assert content(told)["output"] == [said("assistant", ANSWER)]
    assert not {"gcp.vertex.agent.llm_request", "gcp.vertex.agent.llm_response"} & set(attributes(told))


@pytest.mark.parametrize("name", ["google_adk_agent", "google_adk_litellm", "google_adk_v1_agent"])
def test_a_tool_has_what_it_was_given_and_what_it_gave(name: str) -> None:
    (tool,) = (row for row in captured(name) if row["kind"] == "TOOL")
    assert columns(tool, "operation", "tool_name", "agent_name") == ("execute_tool", "look_up_order", "shop")
    assert tool["tool_call_id"] in ("call_1", "call_lookup_1")
    assert content(tool) == {"input": {"order_id": "A-1001"}, "output": STORED}


def test_the_older_format_has_two_spans_for_one_call_of_which_the_inner_one_is_the_child() -> None:
    found = captured("google_adk_v1_agent")
    assert kinds(found) == [
        ("invocation", "CHAIN"),
        ("invoke_agent shop", "AGENT"),
        ("call_llm", "LLM"),
        ("generate_content gemini-2.5-flash", "LLM"),
        ("execute_tool look_up_order", "TOOL"),
        ("call_llm", "LLM"),
        ("generate_content gemini-2.5-flash", "LLM"),
    ]
    _, _, outer, inner, *_ = found
    assert inner["parent_span_id"] == outer["span_id"]
    assert usage(outer) == {**CALL, "total_tokens": 120}
    assert usage(inner) == CALL
    assert cost(outer) == cost(inner) == (GEMINI, "computed")
    assert outer["session_id"] == inner["session_id"] == "conversation-42"
    assert outer["response_model"] == "gemini-2.5-flash"


METADATA = {
    "prompt_token_count": 100,
    "cached_content_token_count": 60,
    "candidates_token_count": 15,
    "thoughts_token_count": 5,
    "total_token_count": 120,
}


def old_call(version: str, metadata: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    """The span `call_llm` of an old release; without usage metadata as it is when content is not recorded."""
    request = {"model": "gemini-2.5-flash", "contents": [{"role": "user", "parts": [{"text": QUESTION}]}]}
    answer = {"content": {"role": "model", "parts": [{"text": ANSWER}]}, "finish_reason": "STOP"}
    sent = {
        "gen_ai.system": "gcp.vertex.agent",
        "gen_ai.request.model": "gemini-2.5-flash",
        "gcp.vertex.agent.llm_request": json.dumps(request) if metadata else "{}",
        "gcp.vertex.agent.llm_response": json.dumps({**answer, "usage_metadata": metadata}) if metadata else "{}",
        **more,
    }
    (row,) = enriched(Sent(sent, name="call_llm", scope=SCOPE, scope_version=version))
    return row


@pytest.mark.parametrize(
    ("version", "reported"),
    [("1.5.0", 120), ("1.14.1", 15), ("1.39.1", 15), ("2.2.0", 15)],
)
def test_the_output_of_an_old_release_is_read_from_the_response_and_not_from_the_attribute(
    version: str, reported: int
) -> None:
    """`output_tokens` was the total up to 1.7, and lacked the thoughts up to 2.3."""
    sent = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": reported}
    row = old_call(version, METADATA, **sent)
    assert usage(row) == {**CALL, "total_tokens": 120}
    assert cost(row) == (GEMINI, "computed")
    assert content(row) == {"input": [said("user", QUESTION)], "output": [said("assistant", ANSWER)]}


def test_thoughts_that_an_old_release_reports_beside_the_output_are_part_of_it() -> None:
    sent = {
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 15,
        "gen_ai.usage.experimental.reasoning_tokens": 5,
    }
    assert usage(old_call("1.39.1", None, **sent)) == {
        "input_tokens": 100,
        "output_tokens": 20,
        "reasoning_tokens": 5,
    }


def test_tokens_of_prompts_for_tools_are_input() -> None:
    metadata = {**METADATA, "tool_use_prompt_token_count": 30, "total_token_count": 150}
    assert usage(old_call("1.18.0", metadata)) == {**CALL, "input_tokens": 130, "total_tokens": 150}


def test_audio_in_and_out_of_a_model_is_told_apart() -> None:
    metadata = {
        **METADATA,
        "prompt_tokens_details": [{"modality": "TEXT", "token_count": 70}, {"modality": "AUDIO", "token_count": 30}],
        "cache_tokens_details": [{"modality": "AUDIO", "token_count": 10}],
        "candidates_tokens_details": [{"modality": "IMAGE", "token_count": 12}],
    }
    assert usage(old_call("1.18.0", metadata)) == {
        **CALL,
        "total_tokens": 120,
        "input_audio_tokens": 30,
        "cache_read_audio_tokens": 10,
        "output_image_tokens": 12,
    }


def test_the_inner_span_of_an_old_release_knows_less_than_the_outer_one_and_its_usage_is_not_taken() -> None:
    sent = {
        "gen_ai.operation.name": "generate_content",
        "gen_ai.request.model": "gemini-2.5-flash",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 15,
    }
    spans = [Sent(sent, scope=SCOPE, scope_version=version) for version in ("1.30.0", "2.3.1", "2.4.0", "")]
    assert [usage(row) for row in enriched(*spans)] == [
        {},
        {},
        {"input_tokens": 100, "output_tokens": 15},
        {"input_tokens": 100, "output_tokens": 15},
    ]


def test_what_stands_in_the_place_of_content_is_none() -> None:
    model = old_call("1.18.0", None)
    tool = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.call.id": "<not specified>",
        "gcp.vertex.agent.tool_call_args": "N/A",
        "gcp.vertex.agent.tool_response": "{}",
        "gcp.vertex.agent.llm_request": "{}",
        "gcp.vertex.agent.llm_response": "{}",
    }
    (row,) = enriched(Sent(tool, scope=SCOPE))
    assert content(model) == content(row) == {}
    assert columns(row, "kind", "tool_call_id") == ("TOOL", "")


def test_parameters_and_the_rest_of_a_response_are_kept() -> None:
    request = {"config": {"temperature": 0.2, "system_instruction": SYSTEM, "labels": {"team": "a"}}, "contents": []}
    response = {"content": {"role": "model", "parts": [{"text": ANSWER}]}, "error_code": "429", "partial": False}
    sent = {"gcp.vertex.agent.llm_request": json.dumps(request), "gcp.vertex.agent.llm_response": json.dumps(response)}
    (row,) = enriched(Sent(sent, name="call_llm", scope=SCOPE, failed=True))
    assert columns(row, "model_parameters", "metadata", "error_type") == (
        '{"temperature":0.2,"labels":{"team":"a"}}',
        '{"error_code":"429","partial":false}',
        "429",
    )


def test_several_tools_at_once_are_a_chain_around_them_and_an_agent_of_old_is_known_by_its_name() -> None:
    merged = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "(merged tools)"}
    found = enriched(Sent(merged, scope=SCOPE), Sent(name="agent_run [shop]", scope=SCOPE))
    assert [row["kind"] for row in found] == ["CHAIN", "AGENT"]


def test_it_is_known_by_its_own_attributes_where_the_scope_was_lost() -> None:
    (row,) = enriched(Sent({"gcp.vertex.agent.session_id": "s-1", "gcp.vertex.agent.event_id": "e-1"}))
    assert columns(row, "dialect", "session_id", "kind") == ("google_adk", "s-1", "OTHER")
