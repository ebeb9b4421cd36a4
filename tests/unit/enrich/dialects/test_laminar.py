"""Laminar: what its SDK sent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.unit.enrich.building import Sent, enriched, only
from tests.unit.enrich.dialects.captured import captured
from tests.unit.enrich.dialects.expected import (
    ANSWER,
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
    ORDER,
    QUESTION,
    TOOL,
    TOOL_CALL,
    facts,
    reshaped,
)

BASE_URL = {"base_url": "http://127.0.0.1:8080/v1/"}
SHARED: dict[str, Any] = {
    "dialect": "laminar",
    "kind": "LLM",
    "operation": "chat",
    "environment": "test",
    "session_id": "conversation-42",
    "user_id": "user-7",
    "metadata": {"plan": "pro"},
}
OPENAI: dict[str, Any] = {
    **SHARED,
    "provider": "openai",
    "request_model": "gpt-4o",
    "response_model": "gpt-4o-2024-08-06",
    "service_tier": "default",
    "finish_reasons": ["stop"],
    "model_parameters": {"temperature": 0.2, **BASE_URL},
    "input": ASKED_WITH_SYSTEM,
    "output": reshaped(ANSWERED, {"finish_reason": "stop"}),
    "token_basis": "inclusive_total",
    "total_tokens": 120,
    **GPT_4O,
    **GPT_4O_COST,
}
ANTHROPIC: dict[str, Any] = {
    **SHARED,
    "provider": "anthropic",
    "request_model": "claude-sonnet-4-5",
    "response_model": "claude-sonnet-4-5-20250929",
    "service_tier": "standard",
    "finish_reasons": ["end_turn"],
    "input": ASKED_WITH_SYSTEM,
    "output": reshaped(ANSWERED, {"finish_reason": "end_turn"}),
    "token_basis": "inclusive_total",
    "total_tokens": 630,
    **CLAUDE,
    **CLAUDE_COST,
}
CLAUDE_CALL = {**TOOL_CALL, "id": "toolu_lookup_1"}
PACKED = '{"status": "packed"}'


def response(call: dict[str, Any], role: str) -> list[dict[str, Any]]:
    result = {"type": "tool_call_response", "id": call["id"], "response": PACKED}
    return [{"role": "assistant", "parts": [call]}, {"role": role, "parts": [result]}]


def test_an_observed_function_is_a_chain_around_a_tool_and_a_chat() -> None:
    function, tool, chat = captured("laminar_observe")
    about = {name: value for name, value in SHARED.items() if name not in ("kind", "operation")}
    assert facts(function) == {
        **about,
        "kind": "CHAIN",
        "tags": ["shop"],
        "input": {"question": QUESTION},
        "output": ANSWER,
    }
    assert facts(tool) == {
        **about,
        "kind": "TOOL",
        "operation": "execute_tool",
        "tool_name": "look_up_order",
        "input": {"order_id": "A-1001"},
        "output": ORDER,
    }
    assert facts(chat) == {**OPENAI, "response_id": "chatcmpl-demo-1"}


def test_a_stream_has_a_first_token() -> None:
    (row,) = captured("laminar_openai_stream")
    assert facts(row) == {**OPENAI, "response_id": "chatcmpl-demo-2"}
    assert 20_000_000 <= row["time_to_first_token_ns"] < row["latency_ns"]


def test_tools_are_told_in_the_form_of_the_conventions() -> None:
    called, answered = captured("laminar_openai_tools")
    shared = {**OPENAI, "tool_definitions": [TOOL]}
    assert facts(called) == {
        **shared,
        "response_id": "chatcmpl-demo-3",
        "finish_reasons": ["tool_calls"],
        "output": reshaped(CALLED, {"finish_reason": "tool_calls"}),
        "tool_calls": CALLS,
    }
    asked = [*ASKED_WITH_SYSTEM, *response(TOOL_CALL, "tool")]
    assert facts(answered) == {**shared, "response_id": "chatcmpl-demo-4", "input": asked}


def test_an_embedding_is_one_although_its_type_is_llm() -> None:
    (row,) = captured("laminar_openai_embedding")
    assert facts(row) == {
        **SHARED,
        "kind": "EMBEDDING",
        "operation": "embeddings",
        "provider": "openai",
        "request_model": "text-embedding-3-small",
        "response_model": "text-embedding-3-small",
        "model_parameters": BASE_URL,
        "input": ASKED,
        "input_tokens": 8,
        "output_tokens": 0,
        "total_tokens": 8,
        "cache_read_tokens": 0,
        "token_basis": "inclusive",
        **EMBEDDING_COST,
    }


def test_a_failed_call_has_its_input_and_its_error() -> None:
    (row,) = captured("laminar_openai_failure")
    assert facts(row) == {
        **SHARED,
        "provider": "openai",
        "request_model": "gpt-4o-broken",
        "model_parameters": {"temperature": 0.2, **BASE_URL},
        "input": ASKED_WITH_SYSTEM,
        "error": "Error code: 500 - The server had an error while processing your request.",
        "error_type": "InternalServerError",
    }


def test_a_response_has_the_system_message_that_only_its_indexed_prompts_hold() -> None:
    (row,) = captured("laminar_openai_responses")
    found = facts(row)
    assert found["input"] == ASKED_WITH_SYSTEM
    assert found["output"][0]["parts"][-1] == ANSWERED[0]["parts"][0]
    shared = ("kind", "operation", *GPT_4O, "cost_total", "response_model", "session_id")
    assert {name: found[name] for name in shared} == {name: OPENAI[name] for name in shared}


def test_a_call_of_anthropic_costs_what_its_buckets_cost() -> None:
    (row,) = captured("laminar_anthropic_chat")
    assert facts(row) == {**ANTHROPIC, "response_id": "msg_demo_7"}
    assert row["cost_total"] == Decimal("0.000855")


def test_a_stream_of_anthropic_reports_no_total_and_costs_the_same() -> None:
    (row,) = captured("laminar_anthropic_stream")
    expected = {**ANTHROPIC, "response_id": "msg_demo_8", "token_basis": "inclusive"}
    del expected["total_tokens"]
    assert facts(row) == expected


def test_tools_of_anthropic_are_told_in_the_form_of_the_conventions() -> None:
    called, answered = captured("laminar_anthropic_tools")
    shared = {**ANTHROPIC, "tool_definitions": [TOOL]}
    assert facts(called) == {
        **shared,
        "response_id": "msg_demo_9",
        "finish_reasons": ["tool_use"],
        "output": [{"role": "assistant", "parts": [CLAUDE_CALL], "finish_reason": "tool_use"}],
        "tool_calls": [{**CALLS[0], "id": "toolu_lookup_1"}],
    }
    asked = [*ASKED_WITH_SYSTEM, *response(CLAUDE_CALL, "user")]
    assert facts(answered) == {**shared, "response_id": "msg_demo_10", "input": asked}


# ---- by hand, from the mapper of Laminar's own backend


def laminar(attributes: dict[str, Any], kind: str = "LLM", **more: Any) -> dict[str, Any]:
    (row,) = enriched(Sent({"lmnr.span.type": kind, **attributes}, **more))
    return row


def test_what_is_kept_for_an_hour_is_told_apart_and_summed_up() -> None:
    kept = "gen_ai.usage.cache_creation.input_tokens.ephemeral_"
    row = laminar({f"{kept}5m": 60, f"{kept}1h": 40, "gen_ai.usage.input_tokens": 110})
    assert (row["cache_write_tokens"], row["cache_write_1h_tokens"], row["input_tokens"]) == (100, 40, 110)


def test_a_batch_is_a_service_tier() -> None:
    assert laminar({"gen_ai.request.batch": True})["service_tier"] == "batch"


def test_a_cost_of_zero_is_no_cost_and_parts_of_one_are_summed_up() -> None:
    """lmnr-ai/lmnr#706: a reported cost of 0 stood in the place of the real one."""
    usage = {
        "gen_ai.response.model": "gpt-4o",
        "gen_ai.system": "openai",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
    }
    zero = laminar({**usage, "gen_ai.usage.cost": 0})
    assert (zero["cost_total"], zero["cost_source"], zero["cost_reported"]) == (Decimal("0.00045"), "computed", None)
    parts = laminar({**usage, "gen_ai.usage.input_cost": 0.25, "gen_ai.usage.output_cost": 0.5})
    assert parts["cost_reported"] == Decimal("0.75")


@pytest.mark.parametrize(
    ("kind", "operation", "expected"),
    [
        ("DEFAULT", None, "CHAIN"),
        ("DEFAULT", "invoke_agent", "AGENT"),
        ("TOOL", None, "TOOL"),
        ("EVALUATOR", None, "EVALUATOR"),
        ("EVALUATION", None, "CHAIN"),
        ("LLM", None, "LLM"),
    ],
)
def test_every_type_of_laminar_has_its_kind(kind: str, operation: str | None, expected: str) -> None:
    named = {"gen_ai.operation.name": operation} if operation else {}
    assert laminar(named, kind)["kind"] == expected
    assert only({"lmnr.span.path": ["a"]})["dialect"] == "laminar"
