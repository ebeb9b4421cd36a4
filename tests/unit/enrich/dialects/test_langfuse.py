"""Langfuse's SDK: spans recorded from the package; by hand what older releases and other languages send."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.support.otlp import Pairs
from tests.unit.enrich.building import only
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
    GPT_4O_OBJECT,
    QUESTION,
    TOOL,
    facts,
    text,
)

EVERYWHERE = {"dialect": "langfuse", "environment": "staging", "release": "2026.1"}
SAID = {"session_id": "conversation-42", "user_id": "user-7", "tags": ["shop", "beta"]}
PARAMETERS = {
    "temperature": 0.2,
    "max_tokens": "Infinity",
    "top_p": 1,
    "frequency_penalty": 0,
    "presence_penalty": 0,
    "service_tier": "default",
}
GENERATION = {
    **EVERYWHERE,
    **GPT_4O_OBJECT,
    **GPT_4O_COST,
    "kind": "LLM",
    "request_model": "gpt-4o-2024-08-06",
    "service_tier": "default",
    "model_parameters": PARAMETERS,
    "input": ASKED_WITH_SYSTEM,
    "output": ANSWERED,
    "token_basis": "inclusive_total",
}


def test_a_chat_through_the_wrapper_of_the_openai_client_is_complete() -> None:
    (row,) = captured("langfuse_openai_chat")
    assert facts(row) == {**GENERATION, **SAID, "metadata": {"plan": "pro", "order": "A-1001"}}
    assert not {"langfuse.observation.input", "langfuse.observation.output"} & {key for key, _, _ in row["attributes"]}


def test_a_stream_tells_the_time_to_its_first_token() -> None:
    (row,) = captured("langfuse_openai_stream")
    assert facts(row) == {**GENERATION, "finish_reasons": ["stop"], "metadata": {"finish_reason": "stop"}}
    assert 0 < row["time_to_first_token_ns"] < row["latency_ns"]


def test_tools_stand_beside_the_messages() -> None:
    first, second = map(facts, captured("langfuse_openai_tools"))
    call = {**GENERATION, "tool_definitions": [TOOL]}
    response = {"type": "tool_call_response", "id": "call_lookup_1", "response": '{"status": "packed"}'}
    assert first == {**call, "output": CALLED, "tool_calls": CALLS}
    assert second == {**call, "input": [*ASKED_WITH_SYSTEM, *CALLED, {"role": "tool", "parts": [response]}]}


def test_a_call_of_the_responses_api_reports_its_own_usage() -> None:
    (row,) = map(facts, captured("langfuse_openai_responses"))
    assert row["output"][0]["parts"][-1] == text("Order A-1001 ships tomorrow.")
    generation = {name: value for name, value in GENERATION.items() if not name.endswith("audio_tokens")}
    assert row == {**generation, "output": row["output"], "model_parameters": {**PARAMETERS, "temperature": 1}}


def test_an_embedding_has_its_text_and_its_tokens() -> None:
    """The wrapper names no provider, and the name of this model alone does not tell one: it has no price."""
    (row,) = map(facts, captured("langfuse_openai_embedding"))
    assert row == {
        **EVERYWHERE,
        "kind": "EMBEDDING",
        "request_model": "text-embedding-3-small",
        "input": QUESTION,
        "output": {"dimensions": 4, "count": 1},
        "input_tokens": 8,
        "token_basis": "exclusive_dialect",
        "cost_source": "unpriced",
        "unpriced_reason": "unknown_model",
    }


def test_a_failed_generation_says_why_and_costs_nothing() -> None:
    (row,) = map(facts, captured("langfuse_openai_failure"))
    parameters = {name: value for name, value in PARAMETERS.items() if name != "service_tier"}
    assert row == {
        **EVERYWHERE,
        "kind": "LLM",
        "request_model": "gpt-4o-broken",
        "model_parameters": parameters,
        "input": ASKED_WITH_SYSTEM,
        "error": "Error code: 500 - The server had an error while processing your request.",
    }


def test_every_type_of_observation_has_its_kind_and_its_content() -> None:
    by_name = {row["name"]: facts(row) for row in captured("langfuse_agent")}
    trace = {**EVERYWHERE, **SAID, "metadata": {"plan": "pro"}}
    assert by_name["assistant"] == {**trace, "kind": "AGENT", "input": {"question": QUESTION}, "output": "Tomorrow."}
    assert by_name["look_up_order"] == {
        **trace,
        "kind": "TOOL",
        "input": {"order_id": "A-1001"},
        "output": {"status": "packed"},
    }
    documents = [{"id": "d-1", "score": 0.9, "content": "Parcels ship daily."}]
    assert by_name["shelf"] == {**trace, "kind": "RETRIEVER", "input": QUESTION, "output": documents}
    assert by_name["check"] == {**trace, "kind": "GUARDRAIL", "input": "Tomorrow.", "output": {"allowed": True}}
    assert by_name["claude"] == {
        **trace,
        **CLAUDE,
        **CLAUDE_COST,
        "kind": "LLM",
        "request_model": "claude-sonnet-4-5",
        "metadata": {"plan": "pro", "attempt": 1},
        "model_parameters": {"max_tokens": 100},
        "input": ASKED,
        "output": [{"role": "assistant", "parts": [text("Tomorrow.")]}],
        "token_basis": "exclusive_dialect",
        "cost_reported": CLAUDE_COST["cost_total"],
    }


def generation(details: Pairs | None = None, **more: Any) -> dict[str, Any]:
    """A generation with these usage details."""
    sent = {f"langfuse.observation.{name.replace('__', '.')}": value for name, value in more.items()}
    usage = {} if details is None else {"langfuse.observation.usage_details": json.dumps(dict(details))}
    return facts(only({"langfuse.observation.type": "generation", **sent, **usage}))


@pytest.mark.parametrize(
    "details",
    [
        {"input": 40, "input_cached_tokens": 60, "output": 15, "output_reasoning_tokens": 5},
        {"input": 40, "input_cached_tokens": 60, "output": 15, "output_reasoning_tokens": 5, "total": 120},
        {"input": 40, "cache_read_input_tokens": 60, "output": 15, "output_reasoning": 5},
        {"input": 40, "input_cache_read": 60, "output": 15, "output_reasoning": 5, "total": None},
        {"input": 100, "input_cached_tokens": 60, "output": 20, "output_reasoning_tokens": 5, "total": 120},
        {
            "prompt_tokens": 100,
            "completion_tokens": 20,
            "prompt_tokens_details": {"cached_tokens": 60},
            "completion_tokens_details": {"reasoning_tokens": 5},
        },
    ],
)
def test_buckets_add_up_to_the_same_usage_however_they_are_named(details: dict[str, Any]) -> None:
    """langfuse/langfuse#12306, #10592, #12635, #14902: inclusive input and cache buckets were added up; #11244: so was
    reasoning. The fifth form sends parts of the totals in buckets, which the total shows.
    """
    found = generation(details, model__name="gpt-4o")
    assert found | GPT_4O | GPT_4O_COST == found


@pytest.mark.parametrize(
    ("details", "written", "hour"),
    [
        ({"input_cache_creation_5m": 30, "input_cache_creation_1h": 70}, 100, 70),
        ({"cache_creation_input_tokens": 100}, 100, None),
        ({"input_cache_creation": 100}, 100, None),
    ],
)
def test_cache_writes_may_be_told_apart_by_their_lifetime(
    details: dict[str, int], written: int, hour: int | None
) -> None:
    found = generation({"input": 10, "output": 20, "input_cache_read": 500, **details})
    assert (found["input_tokens"], found["cache_write_tokens"], found.get("cache_write_1h_tokens")) == (
        610,
        written,
        hour,
    )


def test_an_unknown_bucket_of_the_input_is_input() -> None:
    found = generation({"input": 40, "input_video_tokens": 50, "input_cached_tokens": 10, "output": 1})
    assert (found["input_tokens"], found["cache_read_tokens"]) == (100, 10)


def test_a_bucket_that_is_no_number_is_a_problem_of_the_usage() -> None:
    found = generation({"input": "many", "input_cached_tokens": 10, "output": 1}, model__name="gpt-4o")
    assert (found["usage_problem"], found["cost_source"]) == ("not_a_number", "unpriced")
    assert "input_tokens" not in found


def test_usage_details_that_are_no_object_are_no_usage() -> None:
    for details in ("[]", "3", "null", "{", '""'):
        assert "input_tokens" not in facts(only({"langfuse.observation.usage_details": details}))


@pytest.mark.parametrize("release", ["span", None])
def test_a_span_with_a_model_is_a_generation(release: str | None) -> None:
    """langfuse/langfuse#15814, #13746 and #10148: releases up to 3.3.0 lost the type."""
    sent = {"langfuse.observation.model.name": "gpt-4o", "langfuse.observation.input": QUESTION}
    found = facts(only(sent if release is None else {**sent, "langfuse.observation.type": release}))
    assert (found["kind"], found["input"]) == ("LLM", ASKED)


def test_the_type_of_the_observation_comes_before_the_operation() -> None:
    """langfuse/langfuse#15814."""
    sent = {"langfuse.observation.type": "chain", "gen_ai.operation.name": "chat"}
    assert only(sent)["kind"] == "CHAIN"


@pytest.mark.parametrize("quoted", ["{}", '"{}"', '"\\"{}\\""'])
def test_the_start_of_the_completion_may_be_quoted(quoted: str) -> None:
    row = only({"langfuse.observation.completion_start_time": quoted.format("2026-01-15T12:00:00.250000Z")})
    assert row["time_to_first_token_ns"] == 250_000_000


@pytest.mark.parametrize("odd", ["soon", "{}", "2026-01-15T11:00:00Z", "9999-99-99", "12"])
def test_a_start_of_the_completion_that_cannot_be_is_none(odd: str) -> None:
    assert only({"langfuse.observation.completion_start_time": odd})["time_to_first_token_ns"] is None


def test_the_observations_metadata_covers_that_of_the_trace() -> None:
    sent = {
        "langfuse.trace.metadata": '{"plan": "pro", "region": "eu"}',
        "langfuse.observation.metadata.plan": '"free"',
        "langfuse.observation.metadata.note": "plain",
    }
    assert generation(None) == {"dialect": "langfuse", "kind": "LLM"}
    assert facts(only(sent))["metadata"] == {"plan": "free", "region": "eu", "note": "plain"}


def test_the_messages_that_a_chain_passes_on_are_messages() -> None:
    messages = {"messages": [{"type": "human", "content": QUESTION}]}
    found = facts(only({"langfuse.observation.type": "chain", "langfuse.observation.input": json.dumps(messages)}))
    assert found["input"] == ASKED


def test_a_prompt_is_named() -> None:
    found = generation(None, prompt__name="greeting", prompt__version=3)
    assert (found["prompt_name"], found["prompt_version"]) == ("greeting", "3")


@pytest.mark.parametrize(
    ("details", "reported"),
    [
        ({"total": 0.5}, Decimal("0.5")),
        ({"input": 0.25, "output": 0.5}, Decimal("0.75")),
        ({"input": 0, "output": 0, "total": 0}, None),
        ({"total": "much"}, None),
        ({"total": True}, None),
    ],
)
def test_a_reported_cost_is_its_total_and_zero_is_none(details: dict[str, Any], reported: Decimal | None) -> None:
    """lmnr-ai/lmnr#706, comet-ml/opik#5620."""
    found = generation({"input": 1, "output": 1}, model__name="a-model", cost_details=json.dumps(details))
    assert found.get("cost_reported") == found.get("cost_total") == reported
    assert found["cost_source"] == ("unpriced" if reported is None else "reported")
