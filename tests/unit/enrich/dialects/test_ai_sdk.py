"""Vercel AI SDK: spans of versions 3 to 7, recorded from the packages; by hand what no run of them shows."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.support.otlp import Pairs
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
    ORDER,
    SYSTEM_PARTS,
    TOOL,
    WITHOUT_CACHE_COST,
    attribute,
    facts,
)

SAID = {
    "session_id": "conversation-42",
    "user_id": "user-7",
    "tags": ["shop", "beta"],
    "metadata": {"plan": "pro"},
}
EVERYWHERE = {"dialect": "ai_sdk", "environment": "test", "agent_name": "shop-assistant"}
OPENAI = {"provider": "openai", "request_model": "gpt-4o"}
ANTHROPIC = {"provider": "anthropic", "request_model": "claude-sonnet-4-5"}
OUTER = {**EVERYWHERE, **SAID, "kind": "AGENT", "operation": "invoke_agent", "system_instructions": SYSTEM_PARTS}
INNER = {**EVERYWHERE, **SAID, "kind": "LLM", "operation": "chat"}
DATED, DATED_CLAUDE = {"response_model": "gpt-4o-2024-08-06"}, {"response_model": "claude-sonnet-4-5-20250929"}
ASKED_WITH_RESULT = [
    *ASKED_WITH_SYSTEM,
    *CALLED,
    {
        "role": "tool",
        "parts": [{"type": "tool_call_response", "id": "call_lookup_1", "response": ORDER, "name": "look_up_order"}],
    },
]
UNSPLIT = {"input_tokens": 100, "output_tokens": 20, "token_basis": "inclusive", **WITHOUT_CACHE_COST}
TOLD_IN_METADATA = {**GPT_4O, "token_basis": "inclusive_dialect", **GPT_4O_COST}
DETAILED = {**GPT_4O, "total_tokens": 120, "token_basis": "inclusive_total", **GPT_4O_COST}
USAGE_OF_TOOLS = {
    "v3": UNSPLIT,
    "v4": TOLD_IN_METADATA,
    "v5": {**UNSPLIT, "token_basis": "inclusive_dialect"},
    "v6": DETAILED,
    "v7_legacy": DETAILED,
}
"""In version 5 the provider's package for chats no longer puts cached tokens into the metadata, and the span lacks them."""


def without(found: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in names}


def schema_of_zod(tools: Any) -> Any:
    """The tools without what two versions of zod write into a JSON schema besides the schema."""
    for tool in tools:
        for extra in ("$schema", "additionalProperties"):
            tool["parameters"].pop(extra)
    return tools


@pytest.mark.parametrize("version", USAGE_OF_TOOLS)
def test_a_call_that_uses_a_tool_is_an_agent_around_two_model_calls_and_a_tool(version: str) -> None:
    rows = captured(f"ai_sdk_{version}_tools")
    outer, first, tool, second = map(facts, rows)
    assert {row["parent_span_id"] for row in (rows[1], rows[3])} == {rows[0]["span_id"]}
    usage = ("input_tokens", "output_tokens", "total_tokens", "cache_read_tokens", "reasoning_tokens")
    priced = (*usage, "token_basis", "cost_total", "cost_source")
    if version == "v7_legacy":  # which tells the calls of all steps
        assert outer.pop("tool_calls") == CALLS
        assert outer["output"][0]["parts"].pop() == CALLED[0]["parts"][0]
    assert without(outer, *priced) == {
        **OUTER,
        **OPENAI,
        "finish_reasons": ["stop"],
        "input": ASKED,
        "output": ANSWERED,
    }
    call = {
        **INNER,
        **OPENAI,
        **DATED,
        **USAGE_OF_TOOLS[version],
        "model_parameters": {"max_tokens": 100, "temperature": 0.2},
    }
    for found in (first, second):
        assert schema_of_zod(found.pop("tool_definitions")) == [TOOL]
        assert found.pop("response_id").startswith("chatcmpl-demo-")
    assert first == {
        **call,
        "finish_reasons": ["tool-calls"],
        "input": ASKED_WITH_SYSTEM,
        "output": CALLED,
        "tool_calls": CALLS,
    }
    assert second == {**call, "finish_reasons": ["stop"], "input": ASKED_WITH_RESULT, "output": ANSWERED}
    said = {} if version in ("v3", "v4") else SAID
    assert tool == {
        **EVERYWHERE,
        **said,
        "kind": "TOOL",
        "operation": "execute_tool",
        "tool_name": "look_up_order",
        "tool_call_id": "call_lookup_1",
        "input": {"order_id": "A-1001"},
        "output": ORDER,
    }


def test_version_7_writes_the_conventions_with_the_usage_of_the_calls_again_on_the_agent() -> None:
    """langfuse/langfuse#14633 and #14655, PostHog/posthog#63136: messages and cached tokens of version 7 were lost; #14808:
    the agent and the step were billed again.
    """
    rows = list(map(facts, captured("ai_sdk_v7_tools")))
    agent, step, tool = (next(row for row in rows if row["kind"] == kind) for kind in ("AGENT", "CHAIN", "TOOL"))
    first, second = (row for row in rows if row["kind"] == "LLM")
    usage = {"token_basis": "inclusive_dialect", **GPT_4O, **GPT_4O_COST}
    call = {
        **without(INNER, *SAID, "agent_name"),
        **OPENAI,
        **DATED,
        **usage,
        "model_parameters": {"max_tokens": 100, "temperature": 0.2},
        "system_instructions": SYSTEM_PARTS,
    }
    for found in (first, second):
        assert schema_of_zod(found.pop("tool_definitions")) == [TOOL]
        assert found.pop("response_id").startswith("chatcmpl-demo-")
    assert first == {
        **call,
        "finish_reasons": ["tool-calls"],
        "input": ASKED,
        "output": [{**CALLED[0], "finish_reason": "tool_call"}],
        "tool_calls": CALLS,
    }
    response = {"type": "tool_call_response", "id": "call_lookup_1", "response": ORDER}
    assert second == {
        **call,
        "finish_reasons": ["stop"],
        "input": [*ASKED, *CALLED, {"role": "tool", "parts": [response]}],
        "output": [{**ANSWERED[0], "finish_reason": "stop"}],
    }
    assert (agent["kind"], agent["agent_name"], agent["input_tokens"], agent["cache_read_tokens"]) == (
        "AGENT",
        "shop-assistant",
        200,
        120,
    )
    assert agent["output"][0]["parts"] == [*ANSWERED[0]["parts"], *CALLED[0]["parts"], response]
    assert step == {
        **SAID,
        "dialect": "ai_sdk",
        "environment": "test",
        "kind": "CHAIN",
        "operation": "agent_step",
    }
    assert tool == {
        "dialect": "ai_sdk",
        "environment": "test",
        "kind": "TOOL",
        "operation": "execute_tool",
        "tool_name": "look_up_order",
        "tool_call_id": "call_lookup_1",
        "input": {"order_id": "A-1001"},
        "output": ORDER,
    }


@pytest.mark.parametrize(
    ("version", "usage"),
    [
        ("v3", {"input_tokens": 10, "output_tokens": 20, "token_basis": "inclusive", "cost_total": Decimal("0.00033")}),
        ("v4", {**CLAUDE, "token_basis": "exclusive_dialect", **CLAUDE_COST}),
        *(
            (version, {**CLAUDE, "total_tokens": 630, "token_basis": "exclusive_total", **CLAUDE_COST})
            for version in ("v5", "v6", "v7", "v7_legacy")
        ),
    ],
)
def test_anthropics_cached_tokens_are_counted_once_whichever_version_sends_them(
    version: str, usage: dict[str, Any]
) -> None:
    """langfuse/langfuse#12306, #10592, #12635. Version 3 does not tell the cached tokens."""
    *_, call = sorted(captured(f"ai_sdk_{version}_anthropic"), key=lambda row: row["kind"])
    found = facts(call)
    assert found["kind"] == "LLM"
    assert found | usage == found
    assert (found["provider"], found["request_model"], found["response_model"], found["cost_source"]) == (
        *ANTHROPIC.values(),
        *DATED_CLAUDE.values(),
        "computed",
    )
    assert found.get("service_tier") == (None if version in ("v3", "v4") else "standard")
    assert found.get("usage_problem") is None


@pytest.mark.parametrize("version", ["v4", "v5", "v6", "v7", "v7_legacy"])
def test_the_span_around_a_single_call_costs_the_same_as_the_call(version: str) -> None:
    by_kind = {row["kind"]: row for row in captured(f"ai_sdk_{version}_anthropic")}
    assert by_kind["AGENT"]["cost_total"] == by_kind["LLM"]["cost_total"] == Decimal("0.000855")


@pytest.mark.parametrize("version", ["v3", "v4", "v5", "v6", "v7", "v7_legacy"])
def test_a_stream_tells_the_time_to_its_first_chunk(version: str) -> None:
    """mastra-ai/mastra#9444."""
    (call,) = [row for row in captured(f"ai_sdk_{version}_stream") if row["kind"] == "LLM"]
    in_ms, in_seconds = (
        attribute(call, "ai.response.msToFirstChunk"),
        attribute(call, "gen_ai.client.operation.time_to_first_chunk"),
    )
    assert call["time_to_first_token_ns"] == round(in_seconds * 1e9 if version == "v7" else in_ms * 1e6)
    assert 0 < call["time_to_first_token_ns"] < call["latency_ns"]
    assert facts(call)["output"][0]["parts"] == ANSWERED[0]["parts"]


@pytest.mark.parametrize("version", ["v3", "v4", "v5", "v6"])
def test_embeddings_are_billed_on_the_inner_span(version: str) -> None:
    outer, inner = map(facts, captured(f"ai_sdk_{version}_embed"))
    call = {
        **EVERYWHERE,
        **SAID,
        "operation": "embeddings",
        "provider": "openai",
        "request_model": "text-embedding-3-small",
        "input": ["order", "parcel"],
        "input_tokens": 8,
        "token_basis": "inclusive",
        **EMBEDDING_COST,
    }
    assert outer == {**call, "kind": "CHAIN"}
    assert inner == {**call, "kind": "EMBEDDING"}


def test_embeddings_of_version_7_are_two_spans_of_one_name_and_only_the_inner_has_usage() -> None:
    outer, inner = map(facts, captured("ai_sdk_v7_embed"))
    named = {
        "dialect": "ai_sdk",
        "environment": "test",
        "kind": "EMBEDDING",
        "operation": "embeddings",
        "provider": "openai",
        "request_model": "text-embedding-3-small",
        "input": ["order", "parcel"],
        **SAID,
    }
    assert outer == named
    assert inner == {**named, "input_tokens": 8, "token_basis": "inclusive_scope", **EMBEDDING_COST}


@pytest.mark.parametrize("version", ["v3", "v4", "v5", "v6", "v7"])
def test_a_failed_call_says_why(version: str) -> None:
    rows = captured(f"ai_sdk_{version}_failure")
    (call,) = [facts(row) for row in rows if row["kind"] == "LLM"]
    assert (call["error_type"], call["error"]) == (
        "AI_APICallError",
        "The server had an error while processing your request.",
    )
    assert (call["request_model"], call["input"]) == ("gpt-4o-broken", ASKED)
    assert "cost_total" not in call
    assert "output" not in call
    assert {row["status_code"] for row in rows} == {"ERROR"}


def test_content_is_stored_once() -> None:
    moved = {"ai.prompt", "ai.prompt.messages", "ai.prompt.tools", "ai.response.text", "ai.response.toolCalls"}
    moved |= {"ai.result.text", "ai.result.toolCalls", "ai.toolCall.args", "ai.toolCall.result"}
    for version in USAGE_OF_TOOLS:
        for row in captured(f"ai_sdk_{version}_tools"):
            assert not moved & {key for key, _, value in row["attributes"] if value}


def inner(attributes: Pairs, name: str = "ai.generateText.doGenerate") -> dict[str, Any]:
    """A call of a model by any tracer, told by its attributes."""
    return facts(only({"ai.operationId": name, "ai.model.provider": "openai.chat", **dict(attributes)}))


def test_uncached_tokens_decide_what_the_input_is() -> None:
    """By hand: an input without cached tokens, as adapted providers of the version before send it."""
    details = "ai.usage.inputTokenDetails."
    cached = {details + "noCacheTokens": 40, details + "cacheReadTokens": 900, details + "cacheWriteTokens": 10}
    for sent in (40, 950):
        found = inner({"ai.usage.inputTokens": sent, "ai.usage.outputTokens": 20, **cached})
        assert (found["input_tokens"], found["cache_read_tokens"], found["cache_write_tokens"]) == (950, 900, 10)
        assert "usage_problem" not in found


@pytest.mark.parametrize(
    ("metadata", "usage"),
    [
        ({"bedrock": {"usage": {"cacheReadInputTokens": 500, "cacheWriteInputTokens": 100}}}, (610, 500, 100, None)),
        ({"openai": {"cachedPromptTokens": 6, "reasoningTokens": 5}}, (10, 6, None, 5)),
        ({"deepseek": {"promptCacheHitTokens": 6, "promptCacheMissTokens": 4}}, (10, 6, None, None)),
        ({"anthropic": None, "openai": "?"}, (10, None, None, None)),
    ],
)
def test_what_the_metadata_of_version_4_tells_depends_on_the_provider(
    metadata: dict[str, Any], usage: tuple[int | None, ...]
) -> None:
    """By hand, from the providers' packages."""
    sent = {
        "ai.usage.promptTokens": 10,
        "ai.usage.completionTokens": 20,
        "ai.response.providerMetadata": json.dumps(metadata),
    }
    found = inner(sent)
    names = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
    assert tuple(found.get(name) for name in names) == usage


def test_geminis_thoughts_are_output() -> None:
    """By hand: up to version 5 the SDK counts Gemini's thoughts apart from the output."""
    usage = {"promptTokenCount": 100, "candidatesTokenCount": 15, "thoughtsTokenCount": 5, "totalTokenCount": 120}
    metadata = json.dumps({"google": {"usageMetadata": {**usage, "cachedContentTokenCount": 60}}})
    found = inner({"ai.usage.inputTokens": 100, "ai.usage.outputTokens": 15, "ai.response.providerMetadata": metadata})
    assert found | GPT_4O == found


@pytest.mark.parametrize(
    ("sent", "provider"),
    [
        ("openai.responses", "openai"),
        ("google.vertex.chat", "gcp.vertex_ai"),
        ("google.generative-ai", "gcp.gemini"),
        ("amazon-bedrock", "aws.bedrock"),
        ("azure.chat", "azure.ai.openai"),
        ("mistral.chat", "mistral_ai"),
        ("xai.chat", "x_ai"),
        ("openrouter.chat", "openrouter"),
    ],
)
def test_the_provider_is_named_without_its_api(sent: str, provider: str) -> None:
    assert inner({"ai.model.provider": sent})["provider"] == provider


def test_a_prompt_of_langfuse_is_the_prompt_of_the_span() -> None:
    prompt = json.dumps({"name": "greeting", "version": 3, "labels": ["production"]})
    found = inner({"ai.telemetry.metadata.langfusePrompt": prompt})
    assert (found["prompt_name"], found["prompt_version"]) == ("greeting", "3")
    assert "metadata" not in found


def test_an_object_and_reasoning_are_parts_of_the_answer() -> None:
    answer = {"ai.response.object": '{"order_id":"A-1001"}', "ai.response.reasoning": "Short."}
    found = inner(answer, "ai.generateObject.doGenerate")
    parts = [{"type": "reasoning", "content": "Short."}, {"type": "text", "content": '{"order_id":"A-1001"}'}]
    assert found["output"] == [{"role": "assistant", "parts": parts}]


def test_a_ranking_is_the_output_of_a_reranker() -> None:
    sent = {"ai.documents": ['"a"', '"b"'], "ai.ranking": ['{"index":1,"relevanceScore":0.9}']}
    found = inner(sent, "ai.rerank.doRerank")
    assert (found["kind"], found["operation"]) == ("RERANKER", "rerank")
    assert (found["input"], found["output"]) == (["a", "b"], [{"index": 1, "relevanceScore": 0.9}])


def test_version_7_under_the_scope_of_older_ones_is_read_as_version_7() -> None:
    """langfuse/langfuse#14633: `@langfuse/vercel-ai-sdk` writes version 7's attributes under the scope ``ai``."""
    agent, step, call = enriched(
        Sent(
            {
                "gen_ai.operation.name": "invoke_agent",
                "gen_ai.usage.input_tokens": 100,
                "ai.settings.context.userId": "u",
            }
        ),
        Sent({"gen_ai.operation.name": "agent_step", "ai.settings.context.userId": "u"}),
        Sent(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.input.messages": json.dumps(ASKED),
                "gen_ai.usage.input_tokens": 100,
                "gen_ai.usage.cache_read.input_tokens": 60,
                "ai.response.providerMetadata": '{"openai":{}}',
            }
        ),
    )
    assert [row["kind"] for row in (agent, step, call)] == ["AGENT", "CHAIN", "LLM"]
    assert {row["dialect"] for row in (agent, step, call)} == {"ai_sdk"}
    assert (call["input_tokens"], call["cache_read_tokens"], facts(call)["input"]) == (100, 60, ASKED)


@pytest.mark.parametrize("operation", ["ai.generateSpeech", "ai.transcribe", "decide"])
def test_calls_that_make_one_span_are_model_calls(operation: str) -> None:
    assert only({"gen_ai.operation.name": operation, "ai.settings.context.userId": "u"})["kind"] == "LLM"
