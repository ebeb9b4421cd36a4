"""OpenLIT: what it sent, and what it says beside the conventions."""

from __future__ import annotations

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
    EMBEDDING_COST,
    GPT_4O,
    GPT_4O_COST,
    SYSTEM_PARTS,
    TOOL_CALL,
    facts,
    reshaped,
)

SHARED: dict[str, Any] = {"dialect": "openlit", "kind": "LLM", "operation": "chat", "environment": "test"}
OPENAI: dict[str, Any] = {
    **SHARED,
    "provider": "openai",
    "request_model": "gpt-4o",
    "response_model": "gpt-4o-2024-08-06",
    "service_tier": "default",
    "finish_reasons": ["stop"],
    "model_parameters": {"temperature": 0.2},
    "system_instructions": SYSTEM_PARTS,
    "input": ASKED_WITH_SYSTEM,
    "output": reshaped(ANSWERED, {"finish_reason": "stop"}),
    "cache_write_tokens": 0,
    "token_basis": "inclusive_scope",
    **{name: count for name, count in GPT_4O.items() if name != "reasoning_tokens"},
    **GPT_4O_COST,
}
ANTHROPIC: dict[str, Any] = {
    **SHARED,
    "provider": "anthropic",
    "request_model": "claude-sonnet-4-5",
    "response_model": "claude-sonnet-4-5-20250929",
    "finish_reasons": ["end_turn"],
    "model_parameters": {"max_tokens": 100},
    "system_instructions": SYSTEM_PARTS,
    "input": ASKED_WITH_SYSTEM,
    "output": reshaped(ANSWERED, {"finish_reason": "stop"}),
    "token_basis": "exclusive_scope",
    **CLAUDE,
    **CLAUDE_COST,
}
CLAUDE_CALL = {**TOOL_CALL, "id": "toolu_lookup_1"}


def test_a_chat_of_openai_costs_what_it_costs_although_zero_is_reported() -> None:
    """lmnr-ai/lmnr#706: OpenLIT reports a cost of 0 where it has no prices."""
    (row,) = captured("openlit_openai_chat")
    assert facts(row) == {**OPENAI, "response_id": "chatcmpl-demo-1"}
    assert (row["cost_total"], row["cost_reported"]) == (Decimal("0.000375"), None)


def test_a_chat_that_was_not_streamed_has_no_first_token_although_one_is_reported() -> None:
    (row,) = captured("openlit_openai_chat")
    assert ("gen_ai.server.time_to_first_token", "double") in [(key, kind) for key, kind, _ in row["attributes"]]
    assert row["time_to_first_token_ns"] is None


def test_a_stream_has_the_time_of_its_first_token_in_seconds() -> None:
    """BerriAI/litellm#8999, mastra#9444: the time to the first token was missing, or in another unit."""
    (row,) = captured("openlit_openai_stream")
    assert facts(row) == {**OPENAI, "response_id": "chatcmpl-demo-2"}
    assert 20_000_000 <= row["time_to_first_token_ns"] < row["latency_ns"]


def test_the_tool_that_a_model_asked_for_is_in_its_answer_and_makes_no_tool_of_the_span() -> None:
    called, answered = captured("openlit_openai_tools")
    assert facts(called) == {
        **OPENAI,
        "response_id": "chatcmpl-demo-3",
        "finish_reasons": ["tool_calls"],
        "output": reshaped(CALLED, {"finish_reason": "tool_call"}),
        "tool_calls": CALLS,
    }
    assert (called["kind"], called["tool_name"], called["tool_call_id"]) == ("LLM", "", "")
    found = facts(answered)
    result = {"type": "tool_call_response", "id": "call_lookup_1", "response": '{"status": "packed"}'}
    assert found["input"] == [*ASKED_WITH_SYSTEM, {"role": "tool", "parts": [result]}]
    assert {**found, "input": ASKED_WITH_SYSTEM} == {**OPENAI, "response_id": "chatcmpl-demo-4"}


def test_an_embedding_is_complete() -> None:
    (row,) = captured("openlit_openai_embedding")
    assert facts(row) == {
        **SHARED,
        "kind": "EMBEDDING",
        "operation": "embeddings",
        "provider": "openai",
        "request_model": "text-embedding-3-small",
        "response_model": "text-embedding-3-small",
        "model_parameters": {"encoding_formats": ["float"]},
        "input": ASKED,
        "input_tokens": 8,
        "token_basis": "inclusive_scope",
        **EMBEDDING_COST,
    }


def test_a_failed_call_has_its_error() -> None:
    (row,) = captured("openlit_openai_failure")
    found = facts(row)
    assert found.pop("error").startswith("InternalServerError: Error code: 500")
    assert found == {
        **SHARED,
        "provider": "openai",
        "request_model": "gpt-4o-broken",
        "error_type": "InternalServerError",
    }


def test_a_response_reports_its_reasoning() -> None:
    (row,) = captured("openlit_openai_responses")
    expected = {
        **OPENAI,
        **GPT_4O,
        "response_id": "resp_demo_6",
        "finish_reasons": ["completed"],
        "input": ASKED,
        "output": reshaped(ANSWERED, {"finish_reason": "completed"}),
    }
    del expected["model_parameters"]  # none was given, whatever is reported
    assert facts(row) == expected


def test_input_tokens_of_anthropic_leave_out_the_cached_ones_and_are_completed() -> None:
    (row,) = captured("openlit_anthropic_chat")
    assert facts(row) == {**ANTHROPIC, "response_id": "msg_demo_7"}
    assert row["cost_total"] == Decimal("0.000855")
    assert ("gen_ai.usage.input_tokens", "integer", 10) in row["attributes"]


def test_a_stream_of_anthropic_costs_what_it_reports_which_is_no_cached_token() -> None:
    (row,) = captured("openlit_anthropic_stream")
    uncached = {"input_tokens": 10, "cache_read_tokens": 0, "cache_write_tokens": 0, "cost_total": Decimal("0.00033")}
    assert facts(row) == {**ANTHROPIC, "response_id": "msg_demo_8", **uncached}
    assert 20_000_000 <= row["time_to_first_token_ns"] < row["latency_ns"]


def test_a_call_of_a_tool_of_anthropic_is_in_the_answer() -> None:
    called, answered = captured("openlit_anthropic_tools")
    assert facts(called) == {
        **ANTHROPIC,
        "response_id": "msg_demo_9",
        "finish_reasons": ["tool_use"],
        "output": [{"role": "assistant", "parts": [CLAUDE_CALL], "finish_reason": "tool_call"}],
        "tool_calls": [{**CALLS[0], "id": "toolu_lookup_1"}],
    }
    assert [message["role"] for message in facts(answered)["input"]] == ["system", "user", "assistant", "user"]


# ---- by hand


def openlit(attributes: dict[str, Any], library: str = "openai") -> dict[str, Any]:
    (row,) = enriched(Sent(attributes, scope=f"openlit.instrumentation.{library}"))
    return row


def test_without_messages_the_arguments_of_a_called_tool_are_no_input() -> None:
    """OpenLIT with `capture_message_content=False` still names the tool on the chat."""
    row = openlit({"gen_ai.operation.name": "chat", "gen_ai.tool.call.arguments": "{}", "gen_ai.tool.name": "f"})
    assert (row["kind"], row["input"], row["tool_name"]) == ("LLM", "", "")


def test_a_span_of_a_tool_has_its_name_and_arguments() -> None:
    row = openlit(
        {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.arguments": "{}", "gen_ai.tool.name": "f"}
    )
    assert (row["kind"], row["input"], row["tool_name"]) == ("TOOL", "{}", "f")


def test_reasoning_of_gemini_is_added_to_the_output_that_leaves_it_out() -> None:
    counts = {"gen_ai.usage.output_tokens": 20, "gen_ai.usage.reasoning_tokens": 30, "gen_ai.usage.input_tokens": 7}
    row = openlit({"gen_ai.operation.name": "chat", **counts}, "google_ai_studio")
    assert (row["output_tokens"], row["reasoning_tokens"], row["usage_problem"]) == (50, 30, "")


def test_a_positive_cost_is_a_report() -> None:
    """bifrost#1379: a reported cost that got lost."""
    row = openlit({"gen_ai.operation.name": "chat", "gen_ai.request.model": "my-own", "gen_ai.usage.cost": 0.25})
    assert row["cost_reported"] == Decimal("0.25")


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ("invoke_workflow", "CHAIN"),
        ("invoke_agent", "AGENT"),
        ("task", "CHAIN"),
        ("vectordb", "RETRIEVER"),
        ("speech_to_text", "LLM"),
        ("translate", "LLM"),
        ("agent", "AGENT"),
    ],
)
def test_every_operation_has_its_kind(operation: str, kind: str) -> None:
    assert openlit({"gen_ai.operation.name": operation})["kind"] == kind


def test_user_session_and_environment_are_read_under_its_names() -> None:
    row = openlit({"gen_ai.user.id": "u", "gen_ai.session.id": "s", "gen_ai.environment": "prod"})
    assert (row["user_id"], row["session_id"], row["environment"]) == ("u", "s", "prod")
    assert only({"openlit.agent.version_hash": "x"})["dialect"] == "openlit"


# ---- by hand, from the source of 1.36.0 and 1.37.0: one scope for all libraries


def of_one_scope(model: str, provider: str, **counts: int) -> dict[str, Any]:
    named = {"gen_ai.operation.name": "chat", "gen_ai.system": provider, "gen_ai.request.model": model}
    usage = {f"gen_ai.usage.{name.replace('__', '.')}": count for name, count in counts.items()}
    return only({**named, **usage}, scope="openlit.otel.tracing")


@pytest.mark.parametrize("scope", ["openlit.otel.tracing", "openlit.instrumentation.langchain"])
def test_the_parts_of_langchains_calls_have_names_of_their_own_in_1_36(scope: str) -> None:
    sent = {
        "gen_ai.operation.name": "chat",
        "gen_ai.system": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.total_tokens": 120,
        "gen_ai.usage.prompt_tokens_details.cache_read": 60,
        "gen_ai.usage.completion_tokens_details.reasoning": 5,
        "gen_ai.usage.completion_tokens_details.audio": 0,
    }
    row = only(sent, scope=scope)
    assert row["dialect"] == "openlit"
    assert (row["cache_read_tokens"], row["reasoning_tokens"], row["output_audio_tokens"]) == (60, 5, 0)
    assert row["cost_total"] == Decimal("0.000375")


@pytest.mark.parametrize(
    ("read", "write"),
    [
        ("prompt_tokens_details__cache_read", "prompt_tokens_details__cache_write"),
        ("cache_read__input_tokens", "cache_creation__input_tokens"),
    ],
)
@pytest.mark.parametrize(("raw", "whole", "price"), [(10, 610, "0.000855"), (1000, 1600, "0.003825")])
def test_the_provider_tells_how_a_call_in_the_one_scope_was_counted(
    read: str, write: str, raw: int, whole: int, price: str
) -> None:
    row = of_one_scope("claude-sonnet-4-5", "anthropic", input_tokens=raw, output_tokens=20, **{read: 500, write: 100})
    assert (row["input_tokens"], row["token_basis"]) == (whole, "exclusive_scope")
    assert row["cost_total"] == Decimal(price)


def test_langchain_counts_cached_tokens_as_input_whoever_the_provider_is() -> None:
    """Since 1.37 its calls are of the provider ``langchain``, and the counts are LangChain's."""
    counts = {"cache_read__input_tokens": 500, "cache_creation__input_tokens": 100}
    row = of_one_scope("claude-sonnet-4-5", "langchain", input_tokens=610, output_tokens=20, **counts)
    assert (row["input_tokens"], row["cost_total"]) == (610, Decimal("0.000855"))


@pytest.mark.parametrize(("provider", "output"), [("gemini", 50), ("vertex_ai", 50), ("openai", 20)])
def test_reasoning_of_gemini_is_added_in_the_one_scope_too(provider: str, output: int) -> None:
    row = of_one_scope("m", provider, input_tokens=7, output_tokens=20, reasoning_tokens=30 if output == 50 else 5)
    assert row["output_tokens"] == output
