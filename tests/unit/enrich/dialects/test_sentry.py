"""Sentry's names beside the conventions, by hand from sentry-sdk (its spans do not leave it by OTLP)."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.unit.enrich.building import only
from tests.unit.enrich.dialects.expected import CALLED, GPT_4O, GPT_4O_COST, TOOL, TOOL_CALL, facts, text

CHAT: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.system": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.request.temperature": 0.2,
    "gen_ai.request.messages": json.dumps([{"role": "user", "content": "Hi"}]),
    "gen_ai.request.available_tools": json.dumps([TOOL]),
    "gen_ai.response.text": json.dumps(["Hello"]),
    "gen_ai.response.streaming": True,
    "gen_ai.response.time_to_first_token": 0.5,
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.input_tokens.cached": 60,
    "gen_ai.usage.output_tokens": 20,
    "gen_ai.usage.output_tokens.reasoning": 5,
    "gen_ai.usage.total_tokens": 120,
}


def test_a_chat_is_complete() -> None:
    row = only(CHAT)
    assert facts(row) == {
        "dialect": "sentry",
        "kind": "LLM",
        "operation": "chat",
        "provider": "openai",
        "request_model": "gpt-4o",
        "response_model": "gpt-4o-2024-08-06",
        "model_parameters": {"temperature": 0.2},
        "input": [{"role": "user", "parts": [text("Hi")]}],
        "output": [{"role": "assistant", "parts": [text("Hello")]}],
        "tool_definitions": [TOOL],
        "total_tokens": 120,
        "token_basis": "inclusive_total",
        **GPT_4O,
        **GPT_4O_COST,
    }
    assert row["time_to_first_token_ns"] == 500_000_000
    assert not {key for key, _, _ in row["attributes"]} & {"gen_ai.request.messages", "gen_ai.response.text"}


def test_instructions_are_parts_as_the_conventions_have_them() -> None:
    row = only({**CHAT, "gen_ai.system_instructions": json.dumps([{"type": "text", "text": "Be kind."}])})
    assert facts(row)["system_instructions"] == [text("Be kind.")]


def test_a_call_of_a_tool_is_a_part_of_the_answer() -> None:
    call = {"id": TOOL_CALL["id"], "name": TOOL_CALL["name"], "arguments": TOOL_CALL["arguments"], "type": "tool_call"}
    sent = {name: value for name, value in CHAT.items() if name != "gen_ai.response.text"}
    assert facts(only({**sent, "gen_ai.response.tool_calls": json.dumps([call])}))["output"] == CALLED


@pytest.mark.parametrize("total", [630, 30])
def test_cached_tokens_of_anthropic_are_priced_once_by_older_releases_too(total: int) -> None:
    inclusive = total == 630
    row = only(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.system": "anthropic",
            "gen_ai.response.model": "claude-sonnet-4-5",
            "gen_ai.usage.input_tokens": 610 if inclusive else 10,
            "gen_ai.usage.output_tokens": 20,
            "gen_ai.usage.total_tokens": total,
            "gen_ai.usage.input_tokens.cached": 500,
            "gen_ai.usage.input_tokens.cache_write": 100,
        }
    )
    assert (row["input_tokens"], row["cost_total"]) == (610, Decimal("0.000855"))


@pytest.mark.parametrize(
    ("operation", "kind"),
    [("handoff", "CHAIN"), ("responses", "LLM"), ("invoke_agent", "AGENT"), ("execute_tool", "TOOL")],
)
def test_operations_of_its_own_have_their_kind(operation: str, kind: str) -> None:
    row = only({"gen_ai.operation.name": operation, "gen_ai.usage.input_tokens.cached": 0})
    assert row["kind"] == kind
