"""Spans of Genkit, as genkit 1.42 sent them (see `tests/capture/record_genkit.py`); other plugins' numbers are by hand."""

from __future__ import annotations

import json
from typing import Any

from tests.unit.enrich.building import Sent, enriched
from tests.unit.enrich.dialects.captured import captured
from tests.unit.enrich.dialects.expected import ANSWER, QUESTION, SYSTEM
from tests.unit.enrich.dialects.short import (
    attributes,
    columns,
    content,
    cost,
    identity,
    kinds,
    said,
    tool_call,
    tool_result,
    usage,
)

MODEL = ("genkit", "LLM", "chat", "openai", "gpt-4o", "gpt-4o-2024-08-06")
USAGE = {
    "input_tokens": 100,
    "output_tokens": 20,
    "total_tokens": 120,
    "cache_read_tokens": 60,
    "reasoning_tokens": 5,
}
START = [said("system", SYSTEM), said("user", QUESTION)]
CALLED = tool_call("call_lookup_1", {"order_id": "A-1001"})


def test_a_flow_generates_which_asks_the_model_and_calls_its_tool() -> None:
    found = captured("genkit_agent")
    assert kinds(found) == [
        ("answer", "CHAIN"),
        ("generate", "CHAIN"),
        ("openai/gpt-4o", "LLM"),
        ("look_up_order", "TOOL"),
        ("generate", "CHAIN"),
        ("openai/gpt-4o", "LLM"),
    ]
    assert {row["dialect"] for row in found} == {"genkit"}


def test_cached_and_reasoning_tokens_are_those_of_the_provider_s_own_response() -> None:
    for name, place in (("genkit_agent", 2), ("genkit_agent", 5), ("genkit_stream", 2)):
        row = captured(name)[place]
        assert identity(row) == MODEL
        assert (usage(row), row["token_basis"]) == (USAGE, "inclusive_total")
        assert cost(row) == ("0.000375", "computed")
        assert columns(row, "service_tier", "finish_reasons", "error") == ("default", ["stop"], "")


def test_what_generate_repeats_of_the_model_s_usage_is_not_taken() -> None:
    for row in captured("genkit_agent"):
        if row["kind"] != "LLM":
            assert (usage(row), cost(row)) == ({}, (None, ""))


def test_messages_are_those_of_the_request_and_the_response() -> None:
    flow, generate, asked, tool, _, told = captured("genkit_agent")
    assert content(asked)["input"] == START
    assert content(asked)["output"] == [CALLED]
    assert [offered["name"] for offered in content(asked)["tool_definitions"]] == ["look_up_order"]
    assert asked["tool_calls"] == [
        {"id": "call_lookup_1", "name": "look_up_order", "arguments": '{"order_id":"A-1001"}'}
    ]
    assert asked["model_parameters"] == '{"temperature":0.2}'
    result = tool_result("call_lookup_1", "A-1001: packed", name="look_up_order")
    assert content(told)["input"] == [*START, CALLED, result]
    assert content(told)["output"] == [said("assistant", ANSWER)]
    assert content(generate) == {"input": START, "output": [said("assistant", ANSWER)]}
    assert content(flow) == {"output": ANSWER}
    assert columns(tool, "operation", "tool_name") == ("execute_tool", "look_up_order")
    assert content(tool) == {"input": {"order_id": "A-1001"}, "output": "A-1001: packed"}
    assert not {"genkit:input", "genkit:output"} & set(attributes(asked))


def test_the_id_of_a_response_is_that_of_the_provider() -> None:
    assert [row["response_id"] for row in captured("genkit_agent") if row["kind"] == "LLM"] == [
        "chatcmpl-demo-1",
        "chatcmpl-demo-2",
    ]


def test_a_retriever_has_the_query_and_the_documents() -> None:
    _, row = captured("genkit_retrieve")
    assert columns(row, "name", "kind", "operation") == ("shelf", "RETRIEVER", "retrieval")
    assert content(row) == {
        "input": QUESTION,
        "output": [{"content": "Parcels ship daily.", "metadata": {"source": "faq"}}],
    }


def test_an_embedder_has_its_model_and_the_vectors_stay_where_they_are() -> None:
    _, row = captured("genkit_embed")
    assert identity(row) == ("genkit", "EMBEDDING", "embeddings", "openai", "text-embedding-3-small", "")
    assert content(row)["input"]["input"] == [{"content": [{"text": QUESTION}]}]
    assert (row["output"], usage(row), cost(row)) == ("", {}, (None, ""))
    assert "genkit:output" in attributes(row)


def test_a_failure_is_that_of_every_span_that_it_passed() -> None:
    found = captured("genkit_failure")
    assert kinds(found) == [("failure", "CHAIN"), ("generate", "CHAIN"), ("openai/gpt-4o-broken", "LLM")]
    for row in found:
        assert columns(row, "error", "error_type") == (
            "INTERNAL: 500 The server had an error while processing your request.",
            "500",
        )
    assert identity(found[2]) == ("genkit", "LLM", "chat", "openai", "gpt-4o-broken", "")
    assert usage(found[2]) == {}


def model_call(name: str, response: dict[str, Any], request: dict[str, Any] | None = None) -> dict[str, Any]:
    asked = {"messages": [{"role": "user", "content": [{"text": QUESTION}]}], **(request or {})}
    sent = {
        "genkit:type": "action",
        "genkit:metadata:subtype": "model",
        "genkit:name": name,
        "genkit:input": json.dumps(asked),
        "genkit:output": json.dumps(response),
    }
    (row,) = enriched(Sent(sent, scope="genkit-tracer"))
    return row


def test_thoughts_of_gemini_are_part_of_the_output() -> None:
    usage_of_gemini = {
        "inputTokens": 100,
        "outputTokens": 15,
        "thoughtsTokens": 5,
        "totalTokens": 120,
        "cachedContentTokens": 60,
    }
    message = {"role": "model", "content": [{"text": ANSWER}]}
    response = {"finishReason": "stop", "usage": usage_of_gemini, "message": message, "raw": {"modelVersion": "x"}}
    row = model_call("googleai/gemini-2.5-flash", response)
    assert identity(row) == ("genkit", "LLM", "chat", "gcp.gemini", "gemini-2.5-flash", "x")
    assert usage(row) == USAGE
    assert content(row)["output"] == [said("assistant", ANSWER)]


def test_input_of_claude_leaves_cached_tokens_out_as_its_own_response_shows() -> None:
    """The golden call: 10 tokens, 500 read from a cache, 100 written, 20 of output."""
    raw = {"input_tokens": 10, "cache_read_input_tokens": 500, "cache_creation_input_tokens": 100, "output_tokens": 20}
    response = {"usage": {"inputTokens": 10, "outputTokens": 20}, "raw": {"usage": raw, "model": "claude-sonnet-4-5"}}
    row = model_call("anthropic/claude-sonnet-4-5", response)
    assert usage(row) == {
        "input_tokens": 610,
        "output_tokens": 20,
        "cache_read_tokens": 500,
        "cache_write_tokens": 100,
    }
    assert (row["token_basis"], cost(row)) == ("exclusive_dialect", ("0.000855", "computed"))


def test_an_answer_of_an_old_release_is_the_first_candidate() -> None:
    message = {"role": "model", "content": [{"text": ANSWER}]}
    row = model_call("openai/gpt-4o", {"candidates": [{"index": 0, "message": message}]})
    assert content(row)["output"] == [said("assistant", ANSWER)]


def test_documents_for_the_model_have_no_column_and_keep_the_request_in_the_attributes() -> None:
    row = model_call("openai/gpt-4o", {}, {"docs": [{"content": [{"text": "Parcels ship daily."}]}]})
    assert content(row)["input"] == [said("user", QUESTION)]
    assert "genkit:input" in attributes(row)


def test_it_is_known_by_its_attributes_where_the_scope_was_lost() -> None:
    found = enriched(Sent({"genkit:metadata:subtype": "evaluator"}), Sent({"genkit:type": "flowStep"}))
    assert [columns(row, "dialect", "kind") for row in found] == [("genkit", "EVALUATOR"), ("genkit", "CHAIN")]
