"""The older semantic conventions, as a real instrumentation sent them and as others understood them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.unit.enrich.building import Sent, enriched, only
from tests.unit.enrich.dialects.captured import captured
from tests.unit.enrich.dialects.expected import EMBEDDING_COST, WITHOUT_CACHE_COST, facts, text

SHARED: dict[str, Any] = {"dialect": "genai_legacy", "kind": "LLM", "operation": "chat", "environment": "test"}
CHAT: dict[str, Any] = {
    **SHARED,
    "provider": "openai",
    "request_model": "gpt-4o",
    "response_model": "gpt-4o-2024-08-06",
    "service_tier": "default",
    "finish_reasons": ["stop"],
    "model_parameters": {"temperature": 0.2},
    "input_tokens": 100,
    "output_tokens": 20,
    "token_basis": "inclusive_scope",
    **WITHOUT_CACHE_COST,
}


# ---- opentelemetry-instrumentation-openai-v2


def test_a_chat_that_reports_no_cached_tokens_costs_the_full_rate() -> None:
    (row,) = captured("openai_v2_chat")
    assert facts(row) == {**CHAT, "response_id": "chatcmpl-demo-1"}
    assert row["cost_total"] == Decimal("0.00045")


def test_a_stream_says_neither_that_it_is_one_nor_why_it_ended() -> None:
    (row,) = captured("openai_v2_stream")
    expected = {**CHAT, "response_id": "chatcmpl-demo-2"}
    del expected["finish_reasons"]
    assert facts(row) == expected
    assert row["time_to_first_token_ns"] is None


def test_a_call_of_a_tool_is_known_by_the_reason_for_the_end() -> None:
    called, answered = captured("openai_v2_tools")
    assert facts(called) == {**CHAT, "response_id": "chatcmpl-demo-3", "finish_reasons": ["tool_calls"]}
    assert facts(answered) == {**CHAT, "response_id": "chatcmpl-demo-4"}


def test_an_embedding_reports_its_input() -> None:
    (row,) = captured("openai_v2_embedding")
    assert facts(row) == {
        **SHARED,
        "kind": "EMBEDDING",
        "operation": "embeddings",
        "provider": "openai",
        "request_model": "text-embedding-3-small",
        "response_model": "text-embedding-3-small",
        "input_tokens": 8,
        "token_basis": "inclusive_scope",
        **EMBEDDING_COST,
    }


def test_a_failed_call_has_its_error() -> None:
    (row,) = captured("openai_v2_failure")
    found = facts(row)
    assert found.pop("error").startswith("Error code: 500")
    assert found == {
        **SHARED,
        "provider": "openai",
        "request_model": "gpt-4o-broken",
        "model_parameters": {"temperature": 0.2},
        "error_type": "InternalServerError",
    }


# ---- under scopes that are not known, by hand

INDEXED = {
    "gen_ai.system": "az.ai.openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.prompt.0.role": "system",
    "gen_ai.prompt.0.content": "Be kind.",
    "gen_ai.prompt.1.role": "user",
    "gen_ai.prompt.1.content": "Hi",
    "gen_ai.completion.0.role": "assistant",
    "gen_ai.completion.0.content": "Hello",
    "gen_ai.completion.0.finish_reason": "stop",
    "gen_ai.usage.prompt_tokens": 100,
    "gen_ai.usage.completion_tokens": 20,
    "gen_ai.usage.total_tokens": 120,
    "gen_ai.usage.cache_read_input_tokens": 60,
}


@pytest.mark.parametrize("scope", ["", "my-own-tracer"])
def test_indexed_messages_are_read_whoever_sent_them(scope: str) -> None:
    """agentevals#136."""
    (row,) = enriched(Sent(INDEXED, scope=scope))
    assert facts(row) == {
        "dialect": "genai_legacy",
        "kind": "LLM",
        "provider": "azure.ai.openai",
        "request_model": "gpt-4o",
        "finish_reasons": ["stop"],
        "input": [{"role": "system", "parts": [text("Be kind.")]}, {"role": "user", "parts": [text("Hi")]}],
        "output": [{"role": "assistant", "parts": [text("Hello")], "finish_reason": "stop"}],
        "input_tokens": 100,
        "output_tokens": 20,
        "total_tokens": 120,
        "cache_read_tokens": 60,
        "token_basis": "inclusive_total",
        "cost_total": Decimal("0.000375"),
        "cost_source": "computed",
    }


def test_the_names_of_prompts_are_no_indexed_prompts() -> None:
    row = only({"gen_ai.prompt.name": "greeting", "gen_ai.prompt.version": "3", "gen_ai.prompt.variable.0": "x"})
    assert (row["dialect"], row["kind"], row["prompt_name"], row["input"]) == ("genai", "OTHER", "greeting", "")


def test_answers_are_never_told_as_questions() -> None:
    """comet-ml/opik PR#5336: output messages that were shown as input."""
    answered = [{"role": "assistant", "parts": [text("Hello")]}]
    row = only({"gen_ai.output.messages": json.dumps(answered), "llm.request.type": "chat"})
    assert (row["input"], facts(row)["output"]) == ("", answered)


@pytest.mark.parametrize(
    "value",
    [
        [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}],
        [{"role": "user", "content": "Hi"}],
        json.dumps([{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]),
    ],
)
def test_messages_are_read_as_text_and_as_structure(value: Any) -> None:
    """agentevals PR#187, getsentry/relay#4930: values of OTLP that are arrays or objects were dropped."""
    row = only({"gen_ai.input.messages": value, "llm.request.type": "chat"})
    assert facts(row)["input"] == [{"role": "user", "parts": [text("Hi")]}]
    assert [key for key, _, _ in row["attributes"]] == ["llm.request.type"]


def test_an_exclusive_sender_under_the_names_of_the_conventions_is_completed() -> None:
    """thoughtbot/opentelemetry-instrumentation-ruby_llm#38, opencode-plugin-otel#110: 10 input tokens beside 600 cached."""
    row = only(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "anthropic",
            "gen_ai.request.model": "claude-sonnet-4-5",
            "gen_ai.usage.input_tokens": 10,
            "gen_ai.usage.output_tokens": 20,
            "gen_ai.usage.cache_read.input_tokens": 500,
            "gen_ai.usage.cache_creation.input_tokens": 100,
        }
    )
    assert (row["input_tokens"], row["token_basis"]) == (610, "exclusive_cache_exceeds_input")
    assert row["cost_total"] == Decimal("0.000855")


def test_counts_that_the_conventions_do_not_know_are_not_added_to_those_that_they_do() -> None:
    """Langfuse #16489: `gen_ai.usage.details.*` were summed up with the counts that include them."""
    plain = {**INDEXED, "gen_ai.usage.details.cached_tokens": 60, "gen_ai.usage.details.reasoning_tokens": 5}
    row = only(plain)
    assert (row["input_tokens"], row["output_tokens"], row["cost_total"]) == (100, 20, Decimal("0.000375"))
