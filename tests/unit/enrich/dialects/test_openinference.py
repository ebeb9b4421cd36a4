"""OpenInference: what its instrumentations of openai, anthropic and langchain sent, and forms that no recording holds."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import orjson
import pytest

from tests.unit.enrich.building import SECOND, START, Sent, enriched, only
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
    GPT_4O_OBJECT,
    QUESTION,
    TOOL,
    TOOL_CALL,
    attribute,
    facts,
    text,
)

KIND = "openinference.span.kind"
LLM: dict[str, Any] = {"dialect": "openinference", "kind": "LLM", "operation": "chat"}
OPENAI: dict[str, Any] = {
    **LLM,
    "provider": "openai",
    "request_model": "gpt-4o",
    "response_model": "gpt-4o-2024-08-06",
    "service_tier": "default",
    "finish_reasons": ["stop"],
    "model_parameters": {"temperature": 0.2},
    "input": ASKED_WITH_SYSTEM,
    "output": ANSWERED,
    "token_basis": "inclusive_total",
    **GPT_4O_OBJECT,
    **GPT_4O_COST,
}
ANTHROPIC: dict[str, Any] = {
    **LLM,
    "provider": "anthropic",
    "request_model": "claude-sonnet-4-5",
    "response_model": "claude-sonnet-4-5-20250929",
    "service_tier": "standard",
    "finish_reasons": ["end_turn"],
    "model_parameters": {"max_tokens": 100},
    "input": ASKED_WITH_SYSTEM,
    "output": ANSWERED,
    "token_basis": "inclusive_total",
    "total_tokens": 630,
    "cache_write_1h_tokens": 0,
    **CLAUDE,
    **CLAUDE_COST,
}
CLAUDE_CALL = {**TOOL_CALL, "id": "toolu_lookup_1"}
PACKED = '{"status": "packed"}'


def responded(call: dict[str, Any]) -> list[dict[str, Any]]:
    """The conversation with a call of the tool, and its result."""
    result = {"type": "tool_call_response", "id": call["id"], "response": PACKED}
    return [*ASKED_WITH_SYSTEM, {"role": "assistant", "parts": [call]}, {"role": "tool", "parts": [result]}]


# ---- openai


def test_a_chat_of_openai_is_complete() -> None:
    (row,) = captured("openinference_openai_chat")
    assert facts(row) == {
        **OPENAI,
        "response_id": "chatcmpl-demo-1",
        "session_id": "conversation-42",
        "user_id": "user-7",
        "tags": ["shop", "beta"],
        "metadata": {"plan": "pro"},
        "prompt_version": "v3",
        "environment": "test",
    }
    assert row["time_to_first_token_ns"] is None


def test_flattened_messages_are_content_and_the_raw_request_and_response_stay_attributes() -> None:
    (row,) = captured("openinference_openai_chat")
    keys = {key for key, _, _ in row["attributes"]}
    assert not {key for key in keys if key.startswith("llm.input_messages") or key.startswith("llm.output_messages")}
    assert orjson.loads(attribute(row, "input.value"))["messages"][1]["content"] == QUESTION
    assert {"output.value", "llm.token_count.prompt", "metadata", "tag.tags"} <= keys


def test_a_stream_of_openai_has_the_time_of_its_first_token() -> None:
    """Tracely PR#51, mastra#9444: the event that OpenInference marks the first token with."""
    (row,) = captured("openinference_openai_stream")
    parameters = {"temperature": 0.2, "stream_options": {"include_usage": True}}
    assert facts(row) == {
        **OPENAI,
        "response_id": "chatcmpl-demo-2",
        "model_parameters": parameters,
        "environment": "test",
    }
    (event,) = row["events"]
    assert event["name"] == "First Token Stream Event"
    assert 20_000_000 <= row["time_to_first_token_ns"] < row["latency_ns"]


def test_tools_that_openai_is_offered_and_calls_are_told_in_full() -> None:
    called, answered = captured("openinference_openai_tools")
    shared = {**OPENAI, "tool_definitions": [TOOL], "environment": "test"}
    assert facts(called) == {
        **shared,
        "response_id": "chatcmpl-demo-3",
        "finish_reasons": ["tool_calls"],
        "output": CALLED,
        "tool_calls": CALLS,
    }
    assert facts(answered) == {**shared, "response_id": "chatcmpl-demo-4", "input": responded(TOOL_CALL)}


def test_an_embedding_of_openai_has_its_model_and_its_text_and_keeps_the_vector_an_attribute() -> None:
    (row,) = captured("openinference_openai_embedding")
    assert facts(row) == {
        "dialect": "openinference",
        "kind": "EMBEDDING",
        "operation": "embeddings",
        "provider": "openai",
        "request_model": "text-embedding-3-small",
        "model_parameters": {"encoding_format": "base64"},
        "input": ASKED,
        "input_tokens": 8,
        "total_tokens": 8,
        "token_basis": "inclusive",
        "environment": "test",
        **EMBEDDING_COST,
    }
    assert orjson.loads(attribute(row, "embedding.embeddings.0.embedding.vector")) == [0.25, -0.5, 0.75, -1.0]


def test_a_failed_call_has_the_model_that_was_asked_for_its_input_and_its_error() -> None:
    (row,) = captured("openinference_openai_failure")
    assert facts(row) == {
        **LLM,
        "provider": "openai",
        "request_model": "gpt-4o-broken",
        "model_parameters": {"temperature": 0.2},
        "input": ASKED_WITH_SYSTEM,
        "error": ("InternalServerError: Error code: 500 - The server had an error while processing your request."),
        "error_type": "openai.InternalServerError",
        "environment": "test",
    }


def test_a_response_of_openai_is_as_complete_as_a_chat() -> None:
    (row,) = captured("openinference_openai_responses")
    expected = {
        **OPENAI,
        **GPT_4O,
        "response_id": "resp_demo_6",
        "total_tokens": 120,
        "environment": "test",
    }
    for absent in ("finish_reasons", "model_parameters", "input_audio_tokens", "output_audio_tokens"):
        del expected[absent]
    found = facts(row)
    assert found.pop("output")[-1] == expected.pop("output")[0]  # before it, a message of reasoning that says nothing
    assert found == expected


# ---- anthropic


@pytest.mark.parametrize(("name", "response_id"), [("chat", "msg_demo_7"), ("stream", "msg_demo_8")])
def test_a_call_of_anthropic_costs_what_its_buckets_cost(name: str, response_id: str) -> None:
    """Langfuse #12306, #10592, #12635, #14902: cached tokens are within the prompt, and are not to be added to it."""
    (row,) = captured(f"openinference_anthropic_{name}")
    assert facts(row) == {**ANTHROPIC, "response_id": response_id, "environment": "test"}
    assert row["cost_total"] == Decimal("0.000855")


def test_tools_that_anthropic_calls_are_told_once_although_they_are_sent_twice() -> None:
    called, answered = captured("openinference_anthropic_tools")
    shared = {**ANTHROPIC, "tool_definitions": [TOOL], "environment": "test"}
    assert facts(called) == {
        **shared,
        "response_id": "msg_demo_9",
        "finish_reasons": ["tool_use"],
        "output": [{"role": "assistant", "parts": [CLAUDE_CALL]}],
        "tool_calls": [{**CALLS[0], "id": "toolu_lookup_1"}],
    }
    assert facts(answered) == {**shared, "response_id": "msg_demo_10", "input": responded(CLAUDE_CALL)}


def test_a_call_that_the_client_reports_as_well_is_the_same_to_the_last_token_in_both() -> None:
    """anthropic-python reports its calls itself, below the instrumentation's span and in another dialect."""
    outer, inner = captured("openinference_anthropic_native_below")
    assert inner["parent_span_id"] == outer["span_id"]
    assert (outer["dialect"], outer["kind"], inner["kind"]) == ("openinference", "LLM", "LLM")
    shared = (*CLAUDE, "cost_total", "provider", "request_model", "response_model", "response_id")
    assert {name: outer[name] for name in shared} == {name: inner[name] for name in shared}


# ---- langchain


def test_a_chat_of_langchain_is_complete() -> None:
    (row,) = captured("openinference_langchain_chat")
    found = facts(row)
    assert found.pop("metadata")["ls_provider"] == "openai"
    expected = {**OPENAI, "response_id": "chatcmpl-demo-12", "input": ASKED, "environment": "test"}
    del expected["model_parameters"]  # no other than the model
    assert found == expected


def test_steps_of_langchain_are_chains_around_two_chats_and_a_tool() -> None:
    """Langfuse #15814, #13746: every span has the kind that it says, whatever else it carries."""
    rows = captured("openinference_langchain_agent")
    assert [(row["name"], row["kind"]) for row in rows] == [
        ("shop", "CHAIN"),
        ("model", "CHAIN"),
        ("ChatOpenAI", "LLM"),
        ("tools", "CHAIN"),
        ("find", "TOOL"),
        ("model", "CHAIN"),
        ("ChatOpenAI", "LLM"),
    ]
    assert [row["input_tokens"] for row in rows] == [None, None, 100, None, None, None, 100]
    assert [row["cost_total"] for row in rows if row["kind"] == "LLM"] == [Decimal("0.000375")] * 2


def test_what_a_chain_is_given_is_messages_where_it_is_messages() -> None:
    root, _, called, tools, tool, step, answered = map(facts, captured("openinference_langchain_agent"))
    asked = {"role": "user", "parts": [text("A-1001?")]}
    assert root["input"] == [asked]
    assert [message["role"] for message in root["output"]] == ["user", "assistant", "tool", "assistant"]
    assert [message["role"] for message in step["input"]] == ["user", "assistant", "tool"]
    call = {**TOOL_CALL, "name": "find"}
    assert called["output"] == [{"role": "assistant", "parts": [call]}]
    assert tools["input"] == [
        {"name": "find", "args": {"order_id": "A-1001"}, "id": "call_lookup_1", "type": "tool_call"}
    ]
    assert (tool["input"], tool["output"]) == ("A-1001", "packed")
    assert (tool["tool_name"], tool["tool_call_id"]) == ("find", "call_lookup_1")
    assert answered["input"] == [
        asked,
        {"role": "assistant", "parts": [call], "name": "shop"},
        {
            "role": "tool",
            "parts": [{"type": "tool_call_response", "id": "call_lookup_1", "response": "packed"}],
            "name": "find",
        },
    ]


def test_a_retriever_of_langchain_has_its_query_and_its_documents() -> None:
    (row,) = captured("openinference_langchain_retriever")
    assert facts(row) == {
        "dialect": "openinference",
        "kind": "RETRIEVER",
        "operation": "retrieval",
        "metadata": {"ls_retriever_name": "shelf"},
        "input": QUESTION,
        "output": [
            {"content": "Parcels ship daily.", "metadata": {"source": "faq", "page": 3}},
            {"content": "Returns are free.", "metadata": {"source": "faq"}},
        ],
        "environment": "test",
    }


# ---- what no recording holds, by hand from the conventions of OpenInference


@pytest.mark.parametrize(
    ("name", "kind", "operation"),
    [
        ("LLM", "LLM", "chat"),
        ("CHAIN", "CHAIN", ""),
        ("AGENT", "AGENT", "invoke_agent"),
        ("TOOL", "TOOL", "execute_tool"),
        ("RETRIEVER", "RETRIEVER", "retrieval"),
        ("EMBEDDING", "EMBEDDING", "embeddings"),
        ("RERANKER", "RERANKER", "rerank"),
        ("GUARDRAIL", "GUARDRAIL", ""),
        ("EVALUATOR", "EVALUATOR", ""),
        ("PROMPT", "OTHER", ""),
        ("DECISION", "LLM", ""),
        ("UNKNOWN", "OTHER", ""),
        ("tool", "TOOL", "execute_tool"),
    ],
)
def test_every_kind_of_openinference_has_one_of_ours(name: str, kind: str, operation: str) -> None:
    row = only({KIND: name, "llm.token_count.prompt": 7})
    assert (row["kind"], row["operation"], row["dialect"]) == (kind, operation, "openinference")


def test_an_operation_that_is_named_is_that() -> None:
    assert only({KIND: "AGENT", "gen_ai.operation.name": "plan"})["operation"] == "plan"


@pytest.mark.parametrize(
    ("provider", "system", "expected"),
    [
        ("azure", "openai", "azure.ai.openai"),
        ("azure", "mistralai", "azure.ai.inference"),
        ("google", "vertexai", "gcp.vertex_ai"),
        ("google", None, "gcp.gemini"),
        ("aws", "anthropic", "aws.bedrock"),
        (None, "mistralai", "mistral_ai"),
    ],
)
def test_the_provider_is_who_serves_the_model(provider: str | None, system: str | None, expected: str) -> None:
    named = {"llm.provider": provider, "llm.system": system}
    assert only({KIND: "LLM", **{key: value for key, value in named.items() if value}})["provider"] == expected


USAGE = "llm.token_count"


def counted(**counts: int) -> dict[str, Any]:
    keys = {
        "input": f"{USAGE}.prompt",
        "output": f"{USAGE}.completion",
        "total": f"{USAGE}.total",
        "read": f"{USAGE}.prompt_details.cache_read",
        "write": f"{USAGE}.prompt_details.cache_write",
        "cached": f"{USAGE}.prompt_details.cache_input",
        "reasoning": f"{USAGE}.completion_details.reasoning",
    }
    model = {KIND: "LLM", "llm.provider": "anthropic", "llm.model_name": "claude-sonnet-4-5"}
    return {**model, **{keys[name]: count for name, count in counts.items()}}


@pytest.mark.parametrize("total", [630, None])
def test_a_prompt_without_its_cached_tokens_is_completed_by_what_contradicts_it(total: int | None) -> None:
    """Arize-ai/phoenix#10783, #13379: Bedrock's prompt leaves out the cached tokens, its total does not."""
    row = only(counted(input=10, output=20, read=500, write=100, **({"total": total} if total else {})))
    assert (row["input_tokens"], row["output_tokens"]) == (610, 20)
    assert row["token_basis"] == ("exclusive_total" if total else "exclusive_cache_exceeds_input")
    assert row["cost_total"] == Decimal("0.000855")


def test_cached_tokens_are_priced_as_such_and_never_twice() -> None:
    """Langfuse #13571, mlflow/mlflow#24759 (cost x 3.3), langwatch PR#4034, agentglass#366, comet-ml/opik#5618."""
    inclusive = only(counted(input=610, output=20, total=630, read=500, write=100))
    assert inclusive["cost_total"] == Decimal("0.000855")
    assert (inclusive["cost_cache_read"], inclusive["cost_cache_write"]) == (Decimal("0.00015"), Decimal("0.000375"))
    old_name = only(counted(input=610, output=20, total=630, cached=500))
    assert old_name["cache_read_tokens"] == 500


def test_reasoning_is_a_part_of_the_completion() -> None:
    """Langfuse #11244."""
    with_reasoning = only(counted(input=10, output=20, total=30, reasoning=15))
    assert with_reasoning["cost_total"] == only(counted(input=10, output=20, total=30))["cost_total"]


def test_what_is_kept_for_an_hour_stands_in_the_raw_response_and_is_priced_as_such() -> None:
    usage = {"cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 100}}
    response = {"id": "msg_1", "usage": {"input_tokens": 10, "service_tier": "batch", **usage}}
    row = only({**counted(input=110, output=20, total=130, write=100), "output.value": json.dumps(response)})
    assert (row["cache_write_1h_tokens"], row["service_tier"], row["response_id"]) == (100, "batch", "msg_1")


def test_a_reported_cost_is_the_total_or_the_sum_of_its_parts() -> None:
    """comet-ml/opik#5620: a cost is a number with a fraction."""
    model = {KIND: "LLM", "llm.model_name": "my-own-model", "llm.token_count.prompt": 1}
    total = only({**model, "llm.cost.total": 0.25, "llm.cost.prompt": 0.125})
    parts = only({**model, "llm.cost.prompt": 0.125, "llm.cost.completion": 0.0625})
    none = only({**model, "llm.cost.prompt": 0.125})
    assert [row["cost_reported"] for row in (total, parts, none)] == [Decimal("0.25"), Decimal("0.1875"), None]


def test_a_completion_of_text_is_no_chat() -> None:
    row = only(
        {
            KIND: "LLM",
            "llm.prompts.0.prompt.text": "Once upon",
            "llm.choices.0.completion.text": " a time",
            "llm.model_name": "gpt-3.5-turbo-instruct",
        }
    )
    found = facts(row)
    assert (found["operation"], found["kind"]) == ("text_completion", "LLM")
    assert found["input"] == [{"role": "user", "parts": [text("Once upon")]}]
    assert found["output"] == [{"role": "assistant", "parts": [text(" a time")]}]


def test_without_flattened_messages_the_raw_request_is_read_and_stays() -> None:
    """A span of a sender that hides or never writes flattened messages."""
    request = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "temperature": 1}
    row = only({KIND: "LLM", "input.value": json.dumps(request), "output.value": "Hello"})
    found = facts(row)
    assert found["input"] == [{"role": "user", "parts": [text("Hi")]}]
    assert found["output"] == [{"role": "assistant", "parts": [text("Hello")]}]
    assert attribute(row, "input.value") == json.dumps(request)


def test_documents_and_rerankings_are_lists_of_documents() -> None:
    document = {"id": "d", "content": "c", "score": 0.5, "metadata": '{"page": 1}'}
    flat = {f"retrieval.documents.0.document.{name}": value for name, value in document.items()}
    (found,) = facts(only({KIND: "RETRIEVER", "input.value": "q", **flat}))["output"]
    assert found == {"id": "d", "content": "c", "score": 0.5, "metadata": {"page": 1}}
    reranked = only(
        {
            KIND: "RERANKER",
            "reranker.query": "q",
            "reranker.model_name": "rerank-v3.5",
            "reranker.input_documents.0.document.content": "a",
            "reranker.input_documents.1.document.content": "b",
            "reranker.output_documents.0.document.content": "b",
            "reranker.output_documents.0.document.score": 0.9,
        }
    )
    assert facts(reranked)["input"] == {"query": "q", "documents": [{"content": "a"}, {"content": "b"}]}
    assert facts(reranked)["output"] == [{"content": "b", "score": 0.9}]
    assert (reranked["request_model"], reranked["kind"]) == ("rerank-v3.5", "RERANKER")
    assert [key for key, _, _ in reranked["attributes"]] == [KIND, "reranker.model_name"]


def test_evaluations_are_told_with_score_label_and_explanation() -> None:
    row = only(
        {
            KIND: "EVALUATOR",
            "evaluations.0.evaluation.name": "correct",
            "evaluations.0.evaluation.score": 1,
            "evaluations.0.evaluation.label": "yes",
            "annotations.0.annotation.name": "tone",
            "annotations.0.annotation.explanation": "friendly",
        }
    )
    assert row["evaluations"] == [
        {"name": "correct", "score": 1.0, "label": "yes", "explanation": ""},
        {"name": "tone", "score": None, "label": "", "explanation": "friendly"},
    ]


def test_a_decision_is_a_model_call_with_tokens_of_its_own() -> None:
    row = only(
        {
            KIND: "DECISION",
            "decision.model_name": "gpt-4o",
            "decision.provider": "openai",
            "decision.token_count.input": 100,
            "decision.token_count.output": 20,
        }
    )
    assert (row["provider"], row["response_model"]) == ("openai", "gpt-4o")
    assert (row["input_tokens"], row["output_tokens"], row["cost_total"]) == (100, 20, Decimal("0.00045"))


def test_a_huge_index_costs_nothing_and_is_the_next_message() -> None:
    """langfuse PR#15890: an array that is as long as its largest index could be made to fill the memory."""
    messages = {
        "llm.input_messages.0.message.content": "first",
        "llm.input_messages.999999999.message.content": "last",
        "llm.input_messages.9999999999999999999.message.content": "no index",
    }
    row = only({KIND: "LLM", **messages})
    assert [message["parts"][0]["content"] for message in facts(row)["input"]] == ["first", "last"]
    assert [key for key, _, _ in row["attributes"]] == [KIND, "llm.input_messages.9999999999999999999.message.content"]


def test_messages_may_start_at_any_index_and_come_in_any_order() -> None:
    row = only(
        {
            KIND: "LLM",
            "llm.input_messages.2.message.content": "then",
            "llm.input_messages.2.message.role": "user",
            "llm.input_messages.1.message.content": "first",
            "llm.input_messages.1.message.role": "system",
        }
    )
    assert [message["role"] for message in facts(row)["input"]] == ["system", "user"]


@pytest.mark.parametrize("stream", [True, False])
def test_what_was_not_streamed_has_no_time_of_a_first_token(stream: bool) -> None:
    event = ("First Token Stream Event", {})
    row = only(
        {KIND: "LLM", "llm.invocation_parameters": json.dumps({"model": "gpt-4o", "stream": stream})},
        events=[event],
    )
    assert row["time_to_first_token_ns"] == (1 if stream else None)


def test_the_scope_decides_and_a_stray_key_makes_no_model_call_of_a_span() -> None:
    scoped, stray = enriched(
        Sent({KIND: "LLM"}, scope="openinference.instrumentation.bedrock"),
        Sent({"llm.model_name": "gpt-4o", "http.route": "/", "input.value": "x"}, end=START + SECOND),
    )
    assert (scoped["dialect"], scoped["kind"]) == ("openinference", "LLM")
    assert (stray["dialect"], stray["kind"], stray["response_model"], stray["input"]) == ("genai", "OTHER", "", "")
