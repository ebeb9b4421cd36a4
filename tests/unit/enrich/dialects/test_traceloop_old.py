"""OpenLLMetry as it was until 2025: indexed prompts and completions, `llm.*`."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.unit.enrich.building import Sent, enriched, only
from tests.unit.enrich.dialects.captured import captured
from tests.unit.enrich.dialects.expected import (
    ANSWERED,
    ASKED_WITH_SYSTEM,
    CALLED,
    CALLS,
    CLAUDE,
    TOOL,
    TOOL_CALL,
    facts,
    reshaped,
)
from tests.unit.enrich.dialects.traceloop_calls import ANTHROPIC, CLAUDE_CALL, OPENAI, response, without

OLD_OPENAI = without(OPENAI, "reasoning_tokens", "service_tier")
OLD_ANTHROPIC = without(ANTHROPIC, "system_instructions", "model_parameters", input=ASKED_WITH_SYSTEM)
OLD_ANTHROPIC |= {"finish_reasons": ["end_turn"], "output": reshaped(ANSWERED, {"finish_reason": "end_turn"})}


def test_indexed_prompts_and_completions_are_messages() -> None:
    """agentevals#136: the indexed attributes of older instrumentations."""
    (row,) = captured("traceloop_old_openai_chat")
    assert facts(row) == {**OLD_OPENAI, "response_id": "chatcmpl-demo-1"}
    assert not {key for key, _, _ in row["attributes"] if key.startswith(("gen_ai.prompt.", "gen_ai.completion."))}


def test_a_stream_without_usage_has_a_first_token_and_no_cost() -> None:
    (row,) = captured("traceloop_old_openai_stream")
    usage = ("input_tokens", "output_tokens", "cache_read_tokens", "total_tokens", "token_basis", "cost_total")
    assert facts(row) == without(OLD_OPENAI, *usage, "cost_source", response_id="chatcmpl-demo-2")
    assert 20_000_000 <= row["time_to_first_token_ns"] < row["latency_ns"]


def test_indexed_functions_are_tools_and_indexed_calls_are_calls() -> None:
    called, answered = captured("traceloop_old_openai_tools")
    shared = {**OLD_OPENAI, "tool_definitions": [TOOL]}
    assert facts(called) == {
        **shared,
        "response_id": "chatcmpl-demo-3",
        "finish_reasons": ["tool_calls"],
        "output": reshaped(CALLED, {"finish_reason": "tool_calls"}),
        "tool_calls": CALLS,
    }
    asked = [*ASKED_WITH_SYSTEM, *response(TOOL_CALL, "tool")]
    assert facts(answered) == {**shared, "response_id": "chatcmpl-demo-4", "input": asked}


def test_an_older_embedding_is_one_by_its_type() -> None:
    (row,) = captured("traceloop_old_openai_embedding")
    now = facts(captured("traceloop_openai_embedding")[0])
    assert facts(row) == now


def test_an_older_failure_has_what_is_known_of_it() -> None:
    (row,) = captured("traceloop_old_openai_failure")
    now = facts(captured("traceloop_openai_failure")[0])
    found = facts(row)
    assert found.pop("error").startswith("Error code: 500")
    assert found == without(now, "error", "error_type")


def test_an_older_call_of_anthropic_costs_the_same() -> None:
    (row,) = captured("traceloop_old_anthropic_chat")
    assert facts(row) == {**OLD_ANTHROPIC, "response_id": "msg_demo_6"}
    assert row["operation"] == "chat", "although its type is `completion`"


def test_an_older_stream_of_anthropic_reports_no_usage_and_no_model_of_the_response() -> None:
    (row,) = captured("traceloop_old_anthropic_stream")
    usage = (*CLAUDE, "total_tokens", "token_basis", "cost_total", "cost_source")
    assert facts(row) == without(OLD_ANTHROPIC, *usage, "response_model", response_id="msg_demo_7")


def test_content_that_is_itself_json_is_read_as_the_parts_that_it_is() -> None:
    called, answered = captured("traceloop_old_anthropic_tools")
    shared = {**OLD_ANTHROPIC, "tool_definitions": [TOOL]}
    assert facts(called) == {
        **shared,
        "response_id": "msg_demo_8",
        "finish_reasons": ["tool_use"],
        "output": [{"role": "assistant", "parts": [CLAUDE_CALL], "finish_reason": "tool_use"}],
        "tool_calls": [{**CALLS[0], "id": "toolu_lookup_1"}],
    }
    asked = [*ASKED_WITH_SYSTEM, *response(CLAUDE_CALL, "user")]
    assert facts(answered) == {**shared, "response_id": "msg_demo_9", "input": asked}


def test_the_earliest_calls_of_anthropic_left_cached_tokens_out_of_the_prompt() -> None:
    """By hand: opentelemetry-instrumentation-anthropic before it added the cached tokens, which it does since 2024."""
    row = only(
        {
            "gen_ai.system": "Anthropic",
            "gen_ai.response.model": "claude-sonnet-4-5-20250929",
            "llm.request.type": "completion",
            "gen_ai.usage.prompt_tokens": 10,
            "gen_ai.usage.completion_tokens": 20,
            "gen_ai.usage.cache_read_input_tokens": 500,
            "gen_ai.usage.cache_creation_input_tokens": 100,
        },
    )
    assert (row["input_tokens"], row["token_basis"]) == (610, "exclusive_cache_exceeds_input")
    assert row["cost_total"] == Decimal("0.000855")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("chat", "LLM"), ("completion", "LLM"), ("embedding", "EMBEDDING"), ("rerank", "RERANKER"), ("unknown", "OTHER")],
)
def test_every_type_of_an_older_request_has_its_kind(kind: str, expected: str) -> None:
    (row,) = enriched(Sent({"llm.request.type": kind}, scope="opentelemetry.instrumentation.openai.v1"))
    assert row["kind"] == expected
