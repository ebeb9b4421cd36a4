"""Spans of Anthropic's own client, as anthropic 2.12 sent them (see `tests/capture/record_anthropic.py`)."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
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

SCOPE = "com.anthropic.sdk.python"
CHAT = ("anthropic", "LLM", "chat", "anthropic", "claude-sonnet-4-5", "claude-sonnet-4-5-20250929")
USAGE = {
    "input_tokens": 610,
    "output_tokens": 20,
    "cache_read_tokens": 500,
    "cache_write_tokens": 100,
    "cache_write_1h_tokens": 0,
}
SYSTEM_PARTS = [{"type": "text", "content": SYSTEM}]


def test_a_chat_is_a_model_call_with_all_that_it_says() -> None:
    (row,) = captured("anthropic_native_chat")
    assert identity(row) == CHAT
    assert content(row) == {
        "input": [said("user", QUESTION)],
        "output": [said("assistant", ANSWER)],
        "system_instructions": SYSTEM_PARTS,
    }
    assert columns(row, "response_id", "service_tier", "finish_reasons", "model_parameters") == (
        "msg_demo_1",
        "standard",
        ["end_turn"],
        '{"max_tokens":100,"stop_sequences":["END"]}',
    )
    assert columns(row, "time_to_first_token_ns", "error", "error_type", "tool_calls") == (None, "", "", [])


def test_610_tokens_of_which_500_are_read_from_a_cache_and_100_written_cost_what_the_price_list_says() -> None:
    (row,) = captured("anthropic_native_chat")
    assert usage(row) == USAGE
    assert row["token_basis"] == "inclusive_scope"
    assert cost(row) == ("0.000855", "computed")
    assert columns(row, "price_provider", "price_model") == ("anthropic", "claude-sonnet-4-5")


def test_a_stream_has_the_same_usage_and_the_time_to_its_first_token() -> None:
    (row,) = captured("anthropic_native_stream")
    assert (identity(row), usage(row), cost(row)) == (CHAT, USAGE, ("0.000855", "computed"))
    assert content(row)["output"] == [said("assistant", ANSWER)]
    assert row["time_to_first_token_ns"] == 65_046_530 < row["latency_ns"]


def test_a_tool_is_called_in_one_answer_and_its_result_is_in_the_next_question() -> None:
    asked, told = captured("anthropic_native_tools")
    assert (identity(asked), asked["finish_reasons"]) == (CHAT, ["tool_use"])
    assert content(asked)["output"] == [tool_call("toolu_lookup_1", {"order_id": "A-1001"})]
    assert asked["tool_calls"] == [
        {"id": "toolu_lookup_1", "name": "look_up_order", "arguments": '{"order_id":"A-1001"}'}
    ]
    result = [{"type": "text", "text": '{"status": "packed"}'}]
    assert content(told)["input"][1:] == [
        tool_call("toolu_lookup_1", {"order_id": "A-1001"}),
        tool_result("toolu_lookup_1", result, role="user"),
    ]
    assert told["finish_reasons"] == ["end_turn"]


def test_a_tool_runner_is_an_agent_around_its_calls_and_reports_no_usage_of_its_own() -> None:
    runner, first, tool, second = captured("anthropic_native_tool_runner")
    assert kinds([runner, first, tool, second]) == [
        ("anthropic.messages.tool_runner", "AGENT"),
        ("anthropic.messages.create", "LLM"),
        ("anthropic.custom_tool_use look_up_order", "TOOL"),
        ("anthropic.messages.create", "LLM"),
    ]
    assert (usage(runner), cost(runner)) == ({}, (None, ""))
    assert cost(first) == cost(second) == ("0.000855", "computed")
    assert {row["parent_span_id"] for row in (first, tool, second)} == {runner["span_id"]}


def test_a_tool_has_what_it_was_given_and_what_it_gave() -> None:
    tool = captured("anthropic_native_tool_runner")[2]
    assert columns(tool, "operation", "tool_name", "tool_call_id") == (
        "execute_tool",
        "look_up_order",
        "toolu_lookup_1",
    )
    assert content(tool) == {"input": {"order_id": "A-1001"}, "output": [{"type": "text", "text": "A-1001: packed"}]}


def test_counting_tokens_is_no_model_call_and_costs_nothing() -> None:
    (row,) = captured("anthropic_native_count_tokens")
    assert identity(row) == ("anthropic", "OTHER", "", "anthropic", "claude-sonnet-4-5", "")
    assert (usage(row), cost(row)) == ({}, (None, ""))
    assert attributes(row)["anthropic.message.count_tokens.input_tokens"] == 610


def test_a_failure_says_what_failed() -> None:
    (row,) = captured("anthropic_native_failure")
    assert identity(row) == ("anthropic", "LLM", "chat", "anthropic", "gpt-4o-broken", "")
    assert columns(row, "error", "error_type", "status_code") == ("server_error", "server_error", "ERROR")
    assert (usage(row), cost(row)) == ({}, (None, ""))


def written_for(**lifetimes: int) -> dict[str, Any]:
    sent = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-sonnet-4-5",
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.cache_write.input_tokens": sum(lifetimes.values()),
        "gen_ai.usage.output_tokens": 0,
        **{f"anthropic.usage.cache_creation.ephemeral_{name}_input_tokens": n for name, n in lifetimes.items()},
    }
    (row,) = enriched(Sent(sent, scope=SCOPE))
    return row


def test_what_is_written_for_an_hour_costs_more_than_what_is_written_for_five_minutes() -> None:
    """By hand: the fake server writes for five minutes only. 3.75 and 6 USD a million tokens."""
    minutes, hour, both = (
        written_for(**{"5m": 1000}),
        written_for(**{"1h": 1000}),
        written_for(**{"5m": 400, "1h": 600}),
    )
    assert usage(both) == {
        "input_tokens": 1000,
        "output_tokens": 0,
        "cache_write_tokens": 1000,
        "cache_write_1h_tokens": 600,
    }
    assert minutes["cache_write_1h_tokens"] is None
    assert minutes["cost_total"] == Decimal("0.00375")
    assert hour["cost_total"] == Decimal("0.006")
    assert both["cost_total"] == Decimal("0.0051")


@pytest.mark.parametrize(("asked", "billed", "tier"), [("auto", "priority", "priority"), ("auto", "", "auto")])
def test_the_tier_that_was_billed_comes_before_the_one_that_was_asked_for(asked: str, billed: str, tier: str) -> None:
    sent = {"anthropic.request.service_tier": asked, "anthropic.response.service_tier": billed}
    (row,) = enriched(Sent(sent, scope=SCOPE))
    assert row["service_tier"] == tier


def test_a_thread_of_a_session_is_the_session() -> None:
    sent = [{"anthropic.session.id": "s"}, {"anthropic.session.id": "s", "anthropic.session.thread.id": "t"}]
    assert [row["session_id"] for row in enriched(*(Sent(one, scope=SCOPE) for one in sent))] == ["s", "t"]


def test_the_clients_for_other_languages_and_the_platform_are_read_alike() -> None:
    scopes = ("com.anthropic.sdk.python", "com.anthropic.sdk.typescript", "com.anthropic.claude-platform")
    found = enriched(*(Sent({"anthropic.message.stop_reason": "end_turn"}, scope=scope) for scope in scopes))
    assert Counter((row["dialect"], *row["finish_reasons"]) for row in found) == {("anthropic", "end_turn"): 3}
