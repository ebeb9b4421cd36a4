"""OpenInference: forms that no recording holds, from its conventions and from what users reported of other backends."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.unit.enrich.building import SECOND, START, Sent, enriched, only
from tests.unit.enrich.dialects.expected import attribute, facts, text

KIND = "openinference.span.kind"


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
