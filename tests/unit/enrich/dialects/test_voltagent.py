"""Spans of VoltAgent, by hand from its source (`packages/core/src/agent`, 1.x and 2.x)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.enrich.building import Sent, enriched, only
from tests.unit.enrich.dialects.expected import ANSWER, QUESTION, SYSTEM
from tests.unit.enrich.dialects.short import columns, content, cost, identity, said, usage

SCOPE = "@voltagent/core"
MESSAGES = json.dumps([{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}])
CALL: dict[str, Any] = {
    "span.type": "llm",
    "entity.type": "agent",
    "llm.operation": "streamText",
    "llm.provider": "openai",
    "llm.model": "gpt-4o",
    "llm.messages": MESSAGES,
    "output": ANSWER,
    "llm.usage.prompt_tokens": 100,
    "llm.usage.completion_tokens": 20,
    "llm.usage.total_tokens": 120,
    "llm.usage.cached_tokens": 60,
    "llm.usage.reasoning_tokens": 5,
    "llm.finish_reason": "stop",
    "conversation.id": "c-1",
    "user.id": "u-1",
}
COUNTED = {
    "input_tokens": 100,
    "output_tokens": 20,
    "total_tokens": 120,
    "cache_read_tokens": 60,
    "reasoning_tokens": 5,
}


def test_a_model_call_has_its_messages_and_its_usage() -> None:
    row = only(CALL, name="llm:streamText", scope=SCOPE)
    assert identity(row) == ("voltagent", "LLM", "streamText", "openai", "gpt-4o", "")
    assert (usage(row), row["token_basis"], cost(row)) == (COUNTED, "inclusive_total", ("0.000375", "computed"))
    assert columns(row, "session_id", "user_id", "finish_reasons") == ("c-1", "u-1", ["stop"])
    assert content(row) == {
        "input": [said("system", SYSTEM), said("user", QUESTION)],
        "output": [said("assistant", ANSWER)],
    }


def test_an_agent_repeats_the_usage_of_its_calls_and_is_no_call_itself() -> None:
    sent = {
        "entity.type": "agent",
        "entity.name": "shop",
        "ai.model.name": "gpt-4o",
        "agent.messages": MESSAGES,
        "agent.instructions": SYSTEM,
        "output": ANSWER,
        "usage.prompt_tokens": 200,
        "usage.completion_tokens": 40,
        "usage.total_tokens": 240,
        "usage.cached_tokens": 120,
    }
    row = only(sent, scope=SCOPE)
    assert columns(row, "kind", "agent_name", "request_model") == ("AGENT", "shop", "gpt-4o")
    assert usage(row)["input_tokens"] == 200
    assert content(row)["system_instructions"] == [{"type": "text", "content": SYSTEM}]
    assert content(row)["output"] == [said("assistant", ANSWER)]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("tool", "TOOL"),
        ("retriever", "RETRIEVER"),
        ("memory", "OTHER"),
        ("guardrail", "GUARDRAIL"),
        ("scorer", "EVALUATOR"),
        ("embedding", "EMBEDDING"),
        ("workflow-step", "CHAIN"),
    ],
)
def test_the_type_of_a_span_is_its_kind_whatever_entity_it_belongs_to(name: str, kind: str) -> None:
    assert only({"span.type": name, "entity.type": "agent"}, scope=SCOPE)["kind"] == kind


def test_a_tool_has_what_it_was_given_and_what_it_gave() -> None:
    sent = {"span.type": "tool", "tool.name": "t", "tool.call.id": "c", "input": '{"a": 1}', "output": "false"}
    row = only(sent, scope=SCOPE)
    assert columns(row, "tool_name", "tool_call_id") == ("t", "c")
    assert content(row) == {"input": {"a": 1}, "output": False}


def test_a_cost_that_the_provider_charged_is_reported() -> None:
    row = only({**CALL, "usage.cost": 0.0004}, scope=SCOPE)
    assert float(row["cost_reported"]) == 0.0004


def test_its_bare_names_are_nothing_in_another_scope() -> None:
    (row,) = enriched(Sent({"span.type": "llm", "usage.prompt_tokens": 5, "output": "x"}, scope="my.app"))
    assert (columns(row, "dialect", "kind", "output"), usage(row)) == (("genai", "OTHER", ""), {})
