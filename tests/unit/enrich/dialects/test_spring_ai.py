"""Spans of Spring AI, by hand from the observation conventions in its source (1.0 to 2.0): it runs on Java."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.enrich.building import Sent, enriched, only
from tests.unit.enrich.dialects.expected import ANSWER, QUESTION
from tests.unit.enrich.dialects.short import columns, content, cost, identity, said, usage

SCOPE = "org.springframework.boot"
CALL: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.system": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.request.temperature": "0.7",
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.response.id": "chatcmpl-1",
    "gen_ai.response.finish_reasons": '["STOP"]',
    "gen_ai.usage.input_tokens": "100",
    "gen_ai.usage.output_tokens": "20",
    "gen_ai.usage.total_tokens": "120",
}


def test_a_call_has_numbers_as_texts() -> None:
    row = only(CALL, name="chat gpt-4o", scope=SCOPE)
    assert identity(row) == ("spring_ai", "LLM", "chat", "openai", "gpt-4o", "gpt-4o-2024-08-06")
    assert usage(row) == {"input_tokens": 100, "output_tokens": 20, "total_tokens": 120}
    assert (cost(row), row["token_basis"]) == (("0.00045", "computed"), "inclusive")
    assert columns(row, "finish_reasons", "response_id", "usage_problem") == (["STOP"], "chatcmpl-1", "")


@pytest.mark.parametrize("events", [True, False])
def test_messages_are_in_events_or_in_attributes(events: bool) -> None:
    asked, answered = {"gen_ai.prompt": QUESTION}, {"gen_ai.completion": ANSWER}
    told = [("gen_ai.content.prompt", asked), ("gen_ai.content.completion", answered)]
    row = only(CALL if events else CALL | asked | answered, scope=SCOPE, events=told if events else ())
    assert content(row) == {"input": [said("user", QUESTION)], "output": [said("assistant", ANSWER)]}


def test_cached_tokens_of_claude_stand_beside_the_input() -> None:
    sent = {
        "gen_ai.operation.name": "chat",
        "gen_ai.system": "anthropic",
        "gen_ai.request.model": "claude-sonnet-4-5",
        "gen_ai.usage.input_tokens": "10",
        "gen_ai.usage.output_tokens": "20",
        "gen_ai.usage.cache_read.input_tokens": "500",
        "gen_ai.usage.cache_creation.input_tokens": "100",
    }
    row = only(sent, scope=SCOPE)
    assert (usage(row)["input_tokens"], row["token_basis"], cost(row)) == (
        610,
        "exclusive_scope",
        ("0.000855", "computed"),
    )


@pytest.mark.parametrize(("name", "kind"), [("chat_client", "CHAIN"), ("advisor", "CHAIN")])
def test_a_client_and_its_advisors_wrap_the_call_and_are_none(name: str, kind: str) -> None:
    sent = {"gen_ai.operation.name": "framework", "gen_ai.system": "spring_ai", "spring.ai.kind": name}
    row = only({**sent, "spring.ai.chat.client.conversation.id": "c-1"}, scope=SCOPE)
    assert columns(row, "kind", "provider", "session_id") == (kind, "", "c-1")


def test_a_tool_has_what_it_was_given_and_what_it_gave() -> None:
    sent = {
        "gen_ai.operation.name": "framework",
        "gen_ai.system": "spring_ai",
        "spring.ai.kind": "tool_call",
        "spring.ai.tool.definition.name": "look_up_order",
        "spring.ai.tool.call.arguments": '{"order_id": "A-1001"}',
        "spring.ai.tool.call.result": "packed",
    }
    row = only(sent, scope=SCOPE)
    assert columns(row, "kind", "tool_name") == ("TOOL", "look_up_order")
    assert content(row) == {"input": {"order_id": "A-1001"}, "output": "packed"}


@pytest.mark.parametrize("documents", [["Parcels ship daily."], [{"id": "d-1", "content": "Parcels ship daily."}]])
def test_a_vector_store_is_a_retriever_with_its_query_and_its_documents(documents: list[Any]) -> None:
    sent = {
        "spring.ai.kind": "vector_store",
        "db.operation.name": "query",
        "db.vector.query.content": QUESTION,
        "db.vector.query.response.documents": json.dumps(documents),
    }
    row = only(sent, scope=SCOPE)
    assert row["kind"] == "RETRIEVER"
    assert content(row)["input"] == QUESTION
    assert [document["content"] for document in content(row)["output"]] == ["Parcels ship daily."]


def test_other_spans_of_a_spring_boot_application_are_nothing_of_it() -> None:
    http = {"http.request.method": "GET", "uri": "/orders", "status": "200"}
    (row,) = enriched(Sent(http, name="http get /orders", scope=SCOPE))
    assert columns(row, "kind", "operation", "input") == ("OTHER", "", "")
    assert len(row["attributes"]) == 3
