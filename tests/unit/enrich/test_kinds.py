"""Kinds: from the table of operations, and from nothing else but reported usage."""

from __future__ import annotations

import pytest

from collector.enrich.kinds import KIND_OF_OPERATION, KINDS, MODEL_CALLS
from exporters.clickhouse import counting
from tests.unit.enrich.building import Sent, enriched, only

USAGE = {"gen_ai.usage.input_tokens": 3}


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ("chat", "LLM"),
        ("text_completion", "LLM"),
        ("generate_content", "LLM"),
        ("completion", "LLM"),
        ("chat.completions", "LLM"),
        ("text.completions", "LLM"),
        ("text_completions", "LLM"),
        ("responses", "LLM"),
        ("llm_request", "LLM"),
        ("llm_call", "LLM"),
        ("embeddings", "EMBEDDING"),
        ("embedding", "EMBEDDING"),
        ("rerank", "RERANKER"),
        ("retrieval", "RETRIEVER"),
        ("search_memory", "RETRIEVER"),
        ("memory.search", "RETRIEVER"),
        ("vector_db_retrieve", "RETRIEVER"),
        ("execute_tool", "TOOL"),
        ("tool_call", "TOOL"),
        ("tools/call", "TOOL"),
        ("create_agent", "AGENT"),
        ("invoke_agent", "AGENT"),
        ("agent_call", "AGENT"),
        ("process_thread_run", "AGENT"),
        ("invoke_workflow", "CHAIN"),
        ("plan", "CHAIN"),
        ("execute_event_loop_cycle", "CHAIN"),
        ("invoke_graph", "CHAIN"),
        ("framework", "CHAIN"),
        ("user_prompt", "CHAIN"),
        ("moderation", "GUARDRAIL"),
        ("litellm.moderation", "GUARDRAIL"),
        ("judge", "EVALUATOR"),
        ("fetch_response", "OTHER"),
        ("create_memory", "OTHER"),
        ("something new", "OTHER"),
    ],
)
@pytest.mark.parametrize("usage", [{}, USAGE])
def test_an_operation_has_one_kind_whether_it_reports_usage_or_not(
    operation: str, kind: str, usage: dict[str, int]
) -> None:
    row = only({"gen_ai.operation.name": operation, **usage})
    assert (row["kind"], row["operation"]) == (kind, operation)


def test_the_table_only_names_kinds_that_exist() -> None:
    assert set(KIND_OF_OPERATION.values()) <= set(KINDS)
    assert len(set(KINDS)) == len(KINDS) == 10


def test_the_store_counts_the_kinds_that_are_model_calls() -> None:
    assert (*counting.GENERATING.to_pylist(), *counting.LOOKING_UP.to_pylist()) == MODEL_CALLS
    assert set(MODEL_CALLS) <= set(KINDS)


@pytest.mark.parametrize(
    "usage",
    [
        {"gen_ai.usage.input_tokens": 0},
        {"gen_ai.usage.output_tokens": 7},
        {"gen_ai.usage.prompt_tokens": 7},
        {"gen_ai.usage.cache_read.input_tokens": 7},
        {"gen_ai.usage.completion_tokens": "7"},
    ],
)
def test_without_an_operation_reported_usage_makes_a_model_call(usage: dict[str, int | str]) -> None:
    assert only(usage)["kind"] == "LLM"
    assert only({"gen_ai.operation.name": "", **usage})["kind"] == "LLM"


def test_without_an_operation_and_without_usage_a_span_is_other() -> None:
    assert only({"gen_ai.request.model": "gpt-4o"})["kind"] == "OTHER"
    assert only({"gen_ai.usage.input_tokens": "many"})["kind"] == "OTHER"


def test_the_name_of_a_span_says_nothing_about_its_kind() -> None:
    found = enriched(Sent(name="chat gpt-4o"), Sent(name="invoke_agent shop"), Sent({**USAGE}, name="execute_tool f"))
    assert [row["kind"] for row in found] == ["OTHER", "OTHER", "LLM"]


def test_a_chat_that_names_a_tool_is_still_a_model_call() -> None:
    row = only({"gen_ai.operation.name": "chat", "gen_ai.tool.name": "look_up_order"})
    assert (row["kind"], row["tool_name"]) == ("LLM", "look_up_order")
