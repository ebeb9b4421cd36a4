"""Spans of Strands Agents, as strands-agents 1.62 sent them (see `tests/capture/record_strands.py`).

Older releases are by hand, from its source (`strands/telemetry/tracer.py` of 1.0 to 1.61).
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.enrich.building import Sent, enriched
from tests.unit.enrich.dialects.captured import captured
from tests.unit.enrich.dialects.expected import ANSWER, QUESTION, SYSTEM
from tests.unit.enrich.dialects.short import (
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

SCOPE = "strands.telemetry.tracer"
CALL = {"input_tokens": 100, "output_tokens": 20, "total_tokens": 120, "cache_read_tokens": 60}
TWO_CALLS = {
    "input_tokens": 200,
    "output_tokens": 40,
    "total_tokens": 240,
    "cache_read_tokens": 120,
    "cache_write_tokens": 0,
}
CLAUDE = {
    "input_tokens": 610,
    "output_tokens": 20,
    "total_tokens": 630,
    "cache_read_tokens": 500,
    "cache_write_tokens": 100,
}
CALLED = tool_call("call_lookup_1", {"order_id": "A-1001"})
FAILURE = (
    "Error code: 500 - {'error': {'message': 'The server had an error while processing your request.', "
    "'type': 'server_error', 'param': None, 'code': None}}"
)


@pytest.mark.parametrize("name", ["strands_agent", "strands_latest_agent"])
def test_an_agent_runs_cycles_and_these_ask_the_model_and_call_its_tool(name: str) -> None:
    found = captured(name)
    assert kinds(found) == [
        ("invoke_agent shop", "AGENT"),
        ("execute_event_loop_cycle", "CHAIN"),
        ("chat", "LLM"),
        ("execute_tool look_up_order", "TOOL"),
        ("execute_event_loop_cycle", "CHAIN"),
        ("chat", "LLM"),
    ]
    assert {columns(row, "dialect", "provider", "session_id", "user_id") for row in found} == {
        ("strands", "", "conversation-42", "user-7")
    }


@pytest.mark.parametrize("name", ["strands_agent", "strands_latest_agent"])
def test_a_framework_that_calls_itself_the_provider_is_none_and_the_model_has_a_price_all_the_same(name: str) -> None:
    for chat in (captured(name)[2], captured(name)[5]):
        assert identity(chat) == ("strands", "LLM", "chat", "", "gpt-4o", "")
        assert (usage(chat), chat["token_basis"]) == (CALL, "inclusive_total")
        assert cost(chat) == ("0.000375", "computed")
        assert columns(chat, "price_provider", "price_model") == ("openai", "gpt-4o")


@pytest.mark.parametrize("name", ["strands_agent", "strands_latest_agent"])
def test_an_agent_repeats_the_sum_of_its_calls_and_is_no_call_itself(name: str) -> None:
    """strands-agents/harness-sdk#1267, strands-agents/harness-sdk#3602."""
    agent, first_cycle, *_, second_cycle, _ = captured(name)
    assert identity(agent) == ("strands", "AGENT", "invoke_agent", "", "gpt-4o", "")
    assert columns(agent, "agent_name", "finish_reasons") == ("shop", ["end_turn"])
    assert usage(agent) == TWO_CALLS
    assert usage(first_cycle) == usage(second_cycle) == {}


@pytest.mark.parametrize(("name", "milliseconds"), [("strands_agent", (847, 55)), ("strands_latest_agent", (704, 74))])
def test_the_time_to_the_first_token_is_in_milliseconds(name: str, milliseconds: tuple[int, int]) -> None:
    found = captured(name)
    assert [row["time_to_first_token_ns"] for row in (found[2], found[5])] == [ms * 10**6 for ms in milliseconds]
    assert all(row["time_to_first_token_ns"] < row["latency_ns"] for row in (found[2], found[5]))


@pytest.mark.parametrize("name", ["strands_agent", "strands_latest_agent"])
def test_the_model_asked_for_a_tool_and_then_stopped(name: str) -> None:
    _, _, asked, _, _, told = captured(name)
    assert columns(asked, "finish_reasons", "tool_calls") == (
        ["tool_use"],
        [{"id": "call_lookup_1", "name": "look_up_order", "arguments": '{"order_id":"A-1001"}'}],
    )
    assert columns(told, "finish_reasons", "tool_calls") == (["end_turn"], [])


def test_events_one_a_message_are_the_conversation() -> None:
    agent, cycle, asked, _, _, told = captured("strands_agent")
    start = [said("system", SYSTEM), said("user", QUESTION)]
    assert content(asked) == {"input": start, "output": [{**CALLED, "finish_reason": "tool_use"}]}
    assert content(told) == {
        "input": [*start, CALLED, tool_result("call_lookup_1", "A-1001: packed")],
        "output": [said("assistant", ANSWER, finish_reason="end_turn")],
    }
    assert content(agent) == {
        "input": start,
        "output": [said("assistant", f"{ANSWER}\n", finish_reason="end_turn")],
    }
    assert content(cycle) == {"input": start[1:], "output": [CALLED]}


def test_one_event_with_the_whole_is_the_conversation() -> None:
    agent, cycle, asked, _, _, told = captured("strands_latest_agent")
    system = [{"type": "text", "content": SYSTEM}]
    start = [said("user", QUESTION)]
    assert content(asked) == {
        "input": start,
        "output": [{**CALLED, "finish_reason": "tool_use"}],
        "system_instructions": system,
    }
    assert content(told)["input"] == [
        *start,
        CALLED,
        tool_result("call_lookup_1", [{"text": "A-1001: packed"}], role="user"),
    ]
    assert content(agent)["system_instructions"] == system
    assert [tool["name"] for tool in content(agent)["tool_definitions"]] == ["look_up_order"]
    assert content(cycle) == {"input": start}


@pytest.mark.parametrize("name", ["strands_agent", "strands_latest_agent"])
def test_a_tool_has_what_it_was_given_and_what_it_gave(name: str) -> None:
    tool = captured(name)[3]
    assert columns(tool, "operation", "tool_name", "tool_call_id") == ("execute_tool", "look_up_order", "call_lookup_1")
    assert content(tool) == {"input": {"order_id": "A-1001"}, "output": [{"text": "A-1001: packed"}]}
    assert (usage(tool), cost(tool)) == ({}, (None, ""))


def test_input_tokens_of_claude_include_what_its_cache_read_and_wrote() -> None:
    agent, cycle, chat = captured("strands_anthropic")
    assert identity(chat) == ("strands", "LLM", "chat", "", "claude-sonnet-4-5", "")
    assert (usage(chat), chat["token_basis"]) == (CLAUDE, "inclusive_total")
    assert cost(chat) == ("0.000855", "computed")
    assert columns(chat, "finish_reasons", "time_to_first_token_ns") == (["end_turn"], 134 * 10**6)
    assert (agent["kind"], usage(agent), usage(cycle)) == ("AGENT", CLAUDE, {})


def test_a_failure_is_that_of_the_exception_in_every_span_that_it_passed() -> None:
    found = captured("strands_failure")
    assert kinds(found) == [
        ("invoke_agent shop", "AGENT"),
        ("execute_event_loop_cycle", "CHAIN"),
        ("chat", "LLM"),
    ]
    for row in found:
        assert columns(row, "error", "error_type") == (FAILURE, "openai.InternalServerError")
        assert (usage(row), cost(row), row["time_to_first_token_ns"]) == ({}, (None, ""), None)
    assert identity(found[2]) == ("strands", "LLM", "chat", "", "gpt-4o-broken", "")


def old(**more: Any) -> dict[str, Any]:
    """A model call of a release before 1.62: the tokens of Bedrock, which leaves cached ones out of the input."""
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.system": "strands-agents",
        "gen_ai.request.model": "claude-sonnet-4-5",
        "gen_ai.usage.prompt_tokens": 10,
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.completion_tokens": 20,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.total_tokens": 630,
        "gen_ai.usage.cache_read_input_tokens": 500,
        "gen_ai.usage.cache_write_input_tokens": 100,
        **more,
    }


def test_an_old_release_leaves_cached_tokens_out_of_the_input_and_its_total_shows_it() -> None:
    """As of Bedrock in Arize-ai/phoenix#10783: the output is none of the cached tokens."""
    (row,) = enriched(Sent(old(), scope=SCOPE))
    assert (usage(row), row["token_basis"]) == (CLAUDE, "exclusive_total")
    assert cost(row) == ("0.000855", "computed")


@pytest.mark.parametrize("scope", ["strands-agents", "strands.telemetry.tracer", "strands.multiagent.swarm"])
def test_all_its_scopes_are_known(scope: str) -> None:
    (row,) = enriched(Sent({"gen_ai.server.time_to_first_token": 120}, scope=scope))
    assert columns(row, "dialect", "time_to_first_token_ns") == ("strands", 120 * 10**6)


def test_a_cycle_is_known_by_its_id_where_the_scope_was_lost() -> None:
    sent = {"event_loop.cycle_id": "c-1", "gen_ai.operation.name": "execute_event_loop_cycle"}
    assert [
        columns(row, "dialect", "kind") for row in enriched(Sent(sent), Sent({"gen_ai.operation.name": "chat"}))
    ] == [
        ("strands", "CHAIN"),
        ("genai", "LLM"),
    ]


def test_graphs_and_swarms_are_chains_around_agents() -> None:
    operations = ("invoke_graph", "invoke_swarm", "invoke_node")
    found = enriched(*(Sent({"gen_ai.operation.name": name}, scope=SCOPE) for name in operations))
    assert [row["kind"] for row in found] == ["CHAIN"] * 3


def test_searching_a_memory_is_retrieval_with_its_query_and_what_it_found() -> None:
    sent = Sent(
        {"gen_ai.operation.name": "memory.search", "gen_ai.system": "strands-agents"},
        scope=SCOPE,
        events=[
            ("memory.query", {"content": "orders"}),
            ("memory.results", {"content": '[{"memory": "A-1001", "score": 0.9}]'}),
        ],
    )
    (row,) = enriched(sent)
    assert row["kind"] == "RETRIEVER"
    assert content(row) == {"input": "orders", "output": [{"memory": "A-1001", "score": 0.9}]}


def test_content_that_was_held_back_is_none() -> None:
    events = [("gen_ai.choice", {"message": "<REDACTED>", "id": "c"}), ("gen_ai.tool.message", {"content": ""})]
    (row,) = enriched(Sent({"gen_ai.operation.name": "execute_tool"}, scope=SCOPE, events=events))
    assert content(row) == {}


def test_a_tool_may_give_what_is_false_or_nothing() -> None:
    events = [("gen_ai.tool.message", {"content": "{}"}), ("gen_ai.choice", {"message": "false", "id": "c"})]
    (row,) = enriched(Sent({"gen_ai.operation.name": "execute_tool"}, scope=SCOPE, events=events))
    assert content(row) == {"input": {}, "output": False}
