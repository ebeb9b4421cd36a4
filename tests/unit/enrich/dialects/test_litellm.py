"""LiteLLM: what its two callbacks sent, and what its proxy adds."""

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
    GPT_4O_COST,
    GPT_4O_OBJECT,
    TOOL,
    TOOL_CALL,
    attribute,
    facts,
    reshaped,
    text,
)

SHARED: dict[str, Any] = {"dialect": "litellm", "kind": "LLM", "operation": "chat", "environment": "test"}
COST = {**GPT_4O_COST, "cost_reported": Decimal("0.000375")}
V1: dict[str, Any] = {
    **SHARED,
    "provider": "openai",
    "request_model": "gpt-4o",
    "response_model": "gpt-4o-2024-08-06",
    "service_tier": "default",
    "finish_reasons": ["stop"],
    "model_parameters": {"temperature": 0.2},
    "input": ASKED_WITH_SYSTEM,
    "output": reshaped(ANSWERED, {"finish_reason": "stop"}),
    "token_basis": "inclusive_total",
    **GPT_4O_OBJECT,
    **COST,
}
V2: dict[str, Any] = {
    **{name: value for name, value in V1.items() if not name.endswith("audio_tokens")},
    "output": ANSWERED,
}
del V2["service_tier"], V2["reasoning_tokens"]
CLAUDE_REPORTED = {**CLAUDE_COST, "cost_reported": Decimal("0.000855")}
PACKED = '{"status": "packed"}'


def call_and_raw(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The span of a call of v1, and that of the request below it, which starts at the same time."""
    call, raw = sorted(captured(f"litellm_v1_{name}"), key=lambda row: row["name"])
    assert (call["name"], raw["name"]) == ("litellm_request", "raw_gen_ai_request")
    assert raw["parent_span_id"] == call["span_id"]
    return call, raw


# ---- v1


def test_a_chat_of_v1_has_the_cached_tokens_that_only_its_usage_object_tells() -> None:
    call, raw = call_and_raw("chat")
    assert facts(call) == {**V1, "response_id": "chatcmpl-demo-1", "user_id": "user-7"}
    assert (raw["kind"], raw["input_tokens"], raw["cost_total"]) == ("OTHER", None, None)


def test_a_stream_of_v1_is_known_by_a_text() -> None:
    call, _ = call_and_raw("stream")
    assert facts(call) == {**V1, "response_id": "chatcmpl-demo-2", "response_model": "gpt-4o"}
    assert attribute(call, "llm.is_streaming") == "True"


def test_a_call_of_a_tool_of_v1_is_put_into_the_message_that_leaves_it_out() -> None:
    called, answered = (row for row in captured("litellm_v1_tools") if row["name"] == "litellm_request")
    shared = {**V1, "tool_definitions": [TOOL]}
    call = {name: value for name, value in TOOL_CALL.items() if name != "id"}  # which is sent nowhere
    assert facts(called) == {
        **shared,
        "response_id": "chatcmpl-demo-3",
        "finish_reasons": ["tool_calls"],
        "output": [{"role": "assistant", "parts": [call], "finish_reason": "tool_calls"}],
        "tool_calls": [{**CALLS[0], "id": ""}],
    }
    found = facts(answered)
    result = {"type": "tool_call_response", "id": "call_lookup_1", "response": PACKED}
    asked = [*ASKED_WITH_SYSTEM, *CALLED, {"role": "tool", "parts": [result]}]
    assert found == {**shared, "response_id": "chatcmpl-demo-4", "input": asked}


def test_a_call_of_anthropic_through_v1_costs_what_its_buckets_cost() -> None:
    """Langfuse #13988: the cached tokens of LiteLLM were dropped."""
    call, _ = call_and_raw("anthropic")
    found = facts(call)
    assert found.pop("response_id").startswith("chatcmpl-")
    expected = {
        **V1,
        **CLAUDE,
        **CLAUDE_REPORTED,
        "provider": "anthropic",
        "request_model": "claude-sonnet-4-5",
        "response_model": "claude-sonnet-4-5-20250929",
        "service_tier": "standard",
        "model_parameters": {"max_tokens": 100},
        "total_tokens": 630,
        "cache_write_1h_tokens": 0,
        "reasoning_tokens": 0,
    }
    del expected["input_audio_tokens"], expected["output_audio_tokens"]  # None in the usage object
    assert found == expected
    assert call["cost_total"] == Decimal("0.000855")


def test_an_embedding_of_v1_is_one_by_the_name_of_the_function() -> None:
    """BerriAI/litellm#30249: the type of the observation."""
    call, _ = call_and_raw("embedding")
    found = facts(call)
    assert (found["kind"], found["operation"], found["input"]) == ("EMBEDDING", "embeddings", ASKED)
    assert (found["input_tokens"], found["output_tokens"], found["total_tokens"]) == (8, 0, 8)
    assert found["cost_total"] == found["cost_reported"] == Decimal("0.00000016")


def test_a_failed_call_of_v1_has_its_input_and_its_error() -> None:
    (call,) = captured("litellm_v1_failure")
    found = facts(call)
    assert found.pop("response_id")
    assert found.pop("error").startswith("litellm.InternalServerError")
    assert found == {
        **SHARED,
        "provider": "openai",
        "request_model": "gpt-4o-broken",
        "model_parameters": {"temperature": 0.2},
        "input": ASKED_WITH_SYSTEM,
        "error_type": "InternalServerError",
    }


def test_metadata_is_what_is_not_empty() -> None:
    row = only(
        {"litellm.call_id": "c", "metadata.team_id": "t", "metadata.user_agent": "", "metadata.usage_object": "{}"}
    )
    assert facts(row)["metadata"] == {"team_id": "t"}


@pytest.mark.parametrize("usage", ["{", "[1]", "None", '{"prompt_tokens_details": 3}', "(" * 5000, "x" * 20_000])
def test_a_usage_object_that_is_none_says_nothing(usage: str) -> None:
    row = only({"litellm.call_id": "c", "gen_ai.usage.input_tokens": 7, "metadata.usage_object": usage})
    assert (row["input_tokens"], row["cache_read_tokens"], row["usage_problem"]) == (7, None, "")


def test_a_usage_object_may_be_json() -> None:
    usage = json.dumps({"prompt_tokens_details": {"cached_tokens": 60}, "completion_tokens_details": None})
    row = only({"litellm.call_id": "c", "gen_ai.usage.input_tokens": 100, "metadata.usage_object": usage})
    assert (row["input_tokens"], row["cache_read_tokens"]) == (100, 60)


# ---- v2


def test_a_chat_of_v2_is_complete() -> None:
    (row,) = captured("litellm_v2_chat")
    assert facts(row) == {**V2, "response_id": "chatcmpl-demo-1", "session_id": "conversation-42"}


def test_a_stream_of_v2_has_a_first_token() -> None:
    """BerriAI/litellm#8999."""
    (row,) = captured("litellm_v2_stream")
    assert facts(row) == {**V2, "response_id": "chatcmpl-demo-2", "response_model": "gpt-4o"}
    assert 20_000_000 <= row["time_to_first_token_ns"] < row["latency_ns"]


def test_tools_of_v2_are_told_in_the_form_of_the_conventions() -> None:
    called, answered = captured("litellm_v2_tools")
    shared = {**V2, "tool_definitions": [TOOL]}
    assert facts(called) == {
        **shared,
        "response_id": "chatcmpl-demo-3",
        "finish_reasons": ["tool_calls"],
        "output": CALLED,
        "tool_calls": CALLS,
    }
    result = {"type": "tool_call_response", "id": "call_lookup_1", "response": PACKED}
    asked = [*ASKED_WITH_SYSTEM, *CALLED, {"role": "tool", "parts": [result]}]
    assert facts(answered) == {**shared, "response_id": "chatcmpl-demo-4", "input": asked}


def test_a_call_of_anthropic_through_v2_costs_what_its_buckets_cost() -> None:
    (row,) = captured("litellm_v2_anthropic")
    found = facts(row)
    (message,) = found.pop("output")
    assert message["parts"] == [text("Order A-1001 ships tomorrow.")]
    assert found.pop("response_id").startswith("chatcmpl-")
    expected = {
        **V2,
        **CLAUDE,
        **CLAUDE_REPORTED,
        "provider": "anthropic",
        "request_model": "claude-sonnet-4-5",
        "response_model": "claude-sonnet-4-5-20250929",
        "model_parameters": {"max_tokens": 100},
        "total_tokens": 630,
    }
    del expected["output"]
    assert found == expected


def test_an_embedding_of_v2_is_complete() -> None:
    (row,) = captured("litellm_v2_embedding")
    assert facts(row) == {
        **SHARED,
        "kind": "EMBEDDING",
        "operation": "embeddings",
        "provider": "openai",
        "request_model": "text-embedding-3-small",
        "response_model": "text-embedding-3-small",
        "input": ASKED,
        "input_tokens": 8,
        "output_tokens": 0,
        "total_tokens": 8,
        "token_basis": "inclusive",
        "cost_total": Decimal("0.00000016"),
        "cost_reported": Decimal("0.00000016"),
        "cost_source": "computed",
    }


def test_a_failed_call_of_v2_reports_no_tokens_and_costs_nothing() -> None:
    (row,) = captured("litellm_v2_failure")
    found = facts(row)
    assert found["error"].startswith("litellm.InternalServerError")
    assert (found["error_type"], found["input"]) == ("InternalServerError", ASKED_WITH_SYSTEM)
    assert (row["input_tokens"], row["output_tokens"]) == (0, 0)
    assert row["cost_total"] in (None, Decimal(0))


# ---- the proxy, by hand


def test_the_servers_span_of_the_proxy_is_no_call_even_if_it_has_the_attributes_of_one() -> None:
    """Of v1, which puts them there; a call below it has them as well or is not there."""
    usage = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 100}
    row = only({"litellm.call_id": "c", **usage}, name="Received Proxy Server Request", scope="litellm")
    assert (row["kind"], row["input_tokens"]) == ("CHAIN", 100)


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ("litellm.passthrough", "LLM"),
        ("litellm.moderation", "GUARDRAIL"),
        ("litellm.vector_store_management", "OTHER"),
        ("aimage_generation", "LLM"),
        ("execute_tool", "TOOL"),
    ],
)
def test_every_operation_of_litellm_has_its_kind(operation: str, kind: str) -> None:
    (row,) = enriched(Sent({"gen_ai.operation.name": operation, "gen_ai.usage.input_tokens": 1}, scope="litellm"))
    assert row["kind"] == kind


def test_a_guardrail_of_the_proxy_is_one() -> None:
    now, before = enriched(
        Sent({"litellm.guardrail.name": "pii"}, name="execute_guardrail pii", scope="litellm"),
        Sent({"guardrail_name": "pii"}, name="guardrail", scope="litellm"),
    )
    assert (now["kind"], before["kind"]) == ("GUARDRAIL", "GUARDRAIL")


def test_the_reported_cost_of_a_model_without_a_price_is_its_cost() -> None:
    """bifrost#1379, comet-ml/opik#5620."""
    row = only(
        {
            "litellm.call_id": "c",
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "my-own-model",
            "gen_ai.usage.input_tokens": 10,
            "gen_ai.usage.output_tokens": 5,
            "litellm.cost.total": 0.0125,
        }
    )
    assert (row["cost_total"], row["cost_source"]) == (Decimal("0.0125"), "reported")
