"""OpenLLMetry: what its instrumentations and its SDK sent, now and before they followed the conventions."""

from __future__ import annotations

import json
from decimal import Decimal

from tests.unit.enrich.building import Sent, enriched, only
from tests.unit.enrich.dialects.captured import captured
from tests.unit.enrich.dialects.expected import (
    ANSWER,
    ASKED,
    ASKED_WITH_SYSTEM,
    CALLED,
    CALLS,
    EMBEDDING_COST,
    QUESTION,
    TOOL,
    TOOL_CALL,
    attribute,
    facts,
    reshaped,
)
from tests.unit.enrich.dialects.traceloop_calls import ANTHROPIC, CLAUDE_CALL, OPENAI, SHARED, response, without

# ---- as it is now


def test_a_chat_of_openai_is_complete() -> None:
    (row,) = captured("traceloop_openai_chat")
    assert facts(row) == {**OPENAI, "response_id": "chatcmpl-demo-1"}
    assert row["time_to_first_token_ns"] is None
    assert not {key for key, _, _ in row["attributes"]} & {"gen_ai.input.messages", "gen_ai.output.messages"}


def test_a_stream_of_openai_has_a_first_token_and_reports_no_reasoning() -> None:
    (row,) = captured("traceloop_openai_stream")
    expected = without(OPENAI, "reasoning_tokens", "service_tier", response_id="chatcmpl-demo-2")
    assert facts(row) == expected
    assert 20_000_000 <= row["time_to_first_token_ns"] < row["latency_ns"]


def test_tools_that_openai_is_offered_and_calls_are_told_in_full() -> None:
    called, answered = captured("traceloop_openai_tools")
    shared = {**OPENAI, "tool_definitions": [TOOL]}
    assert facts(called) == {
        **shared,
        "response_id": "chatcmpl-demo-3",
        "finish_reasons": ["tool_call"],
        "output": reshaped(CALLED, {"finish_reason": "tool_call"}),
        "tool_calls": CALLS,
    }
    asked = [*ASKED_WITH_SYSTEM, *response(TOOL_CALL, "tool")]
    assert facts(answered) == {**shared, "response_id": "chatcmpl-demo-4", "input": asked}


def test_an_embedding_reports_its_tokens_and_its_text() -> None:
    (row,) = captured("traceloop_openai_embedding")
    assert facts(row) == {
        **SHARED,
        "kind": "EMBEDDING",
        "operation": "embeddings",
        "provider": "openai",
        "request_model": "text-embedding-3-small",
        "response_model": "text-embedding-3-small",
        "input": ASKED,
        "input_tokens": 8,
        "total_tokens": 8,
        "cache_read_tokens": 0,
        "token_basis": "inclusive",
        **EMBEDDING_COST,
    }


def test_a_failed_call_has_its_input_and_its_error() -> None:
    (row,) = captured("traceloop_openai_failure")
    assert facts(row) == {
        **SHARED,
        "provider": "openai",
        "request_model": "gpt-4o-broken",
        "model_parameters": {"temperature": 0.2},
        "input": ASKED_WITH_SYSTEM,
        "error": "Error code: 500 - The server had an error while processing your request.",
        "error_type": "InternalServerError",
    }


def test_a_response_of_openai_is_as_complete_as_a_chat() -> None:
    (row,) = captured("traceloop_openai_responses")
    assert facts(row) == without(OPENAI, "model_parameters", response_id="resp_demo_6")


def test_a_call_of_anthropic_costs_what_its_buckets_cost() -> None:
    """Langfuse #12306, pydantic/pydantic-ai#4364: cached tokens are within the input, and are not to be added to it."""
    (row,) = captured("traceloop_anthropic_chat")
    assert facts(row) == {**ANTHROPIC, "response_id": "msg_demo_8"}
    assert row["cost_total"] == Decimal("0.000855")


def test_a_stream_of_anthropic_costs_the_output_token_more_that_it_reports() -> None:
    """The instrumentation adds the output of the first event to that of the last, which includes it."""
    (row,) = captured("traceloop_anthropic_stream")
    assert facts(row) == {
        **ANTHROPIC,
        "response_id": "msg_demo_9",
        "output_tokens": 21,
        "total_tokens": 631,
        "cost_total": Decimal("0.00087"),
    }


def test_tools_of_anthropic_are_defined_as_the_conventions_do() -> None:
    called, answered = captured("traceloop_anthropic_tools")
    shared = {**ANTHROPIC, "tool_definitions": [TOOL]}
    assert facts(called) == {
        **shared,
        "response_id": "msg_demo_10",
        "finish_reasons": ["tool_call"],
        "output": [{"role": "assistant", "parts": [CLAUDE_CALL], "finish_reason": "tool_call"}],
        "tool_calls": [{**CALLS[0], "id": "toolu_lookup_1"}],
    }
    assert facts(answered) == {
        **shared,
        "response_id": "msg_demo_11",
        "input": [*ASKED, *response(CLAUDE_CALL, "user")],
    }


# ---- the SDK's functions


def test_a_workflow_has_the_content_the_session_and_the_user_that_its_calls_have() -> None:
    rows = captured("traceloop_workflow")
    assert [(row["name"], row["kind"]) for row in rows] == [
        ("support.workflow", "CHAIN"),
        ("shop_assistant.agent", "AGENT"),
        ("look_up_order.tool", "TOOL"),
        ("answer.task", "CHAIN"),
        ("openai.chat", "LLM"),
    ]
    about = {"session_id": "conversation-42", "user_id": "user-7", "metadata": {"plan": "pro"}}
    given = {"args": [QUESTION], "kwargs": {}}
    shared = {"dialect": "traceloop", "environment": "test", **about, "input": given, "output": ANSWER}
    named = {"agent_name": "shop_assistant"}
    workflow, agent, tool, task, chat = map(facts, rows)
    assert workflow == {**shared, "kind": "CHAIN", "operation": "invoke_workflow"}
    assert agent == {**shared, "kind": "AGENT", "operation": "invoke_agent", **named}
    assert task == {**shared, "kind": "CHAIN", "operation": "execute_task", **named}
    assert tool == {
        **shared,
        **named,
        "kind": "TOOL",
        "operation": "execute_tool",
        "tool_name": "look_up_order",
        "input": {"args": ["A-1001"], "kwargs": {}},
        "output": {"order": "A-1001", "status": "packed"},
    }
    assert chat == {**OPENAI, **about, **named, "response_id": "chatcmpl-demo-7", "prompt_version": "3"}


def test_only_the_model_call_of_a_workflow_reports_tokens() -> None:
    """Langfuse PR#14808, traceroot PR#1612: what wraps a call is none itself."""
    rows = captured("traceloop_workflow")
    assert [row["kind"] for row in rows if row["input_tokens"] is not None] == ["LLM"]
    wrapper = only({"traceloop.span.kind": "workflow", "gen_ai.usage.input_tokens": 100})
    assert (wrapper["kind"], wrapper["input_tokens"]) == ("CHAIN", 100)


def test_an_agent_and_a_tool_are_named_by_their_entity_where_no_other_name_is_sent() -> None:
    """As the SDK sent them until 2025."""
    agent, tool = enriched(
        Sent({"traceloop.span.kind": "agent", "traceloop.entity.name": "planner"}),
        Sent({"traceloop.span.kind": "tool", "traceloop.entity.name": "search"}),
    )
    assert (agent["agent_name"], agent["tool_name"]) == ("planner", "")
    assert (tool["agent_name"], tool["tool_name"]) == ("", "search")


def test_what_langchain_puts_around_the_content_of_a_step_stays_an_attribute() -> None:
    chain, prompt, chat, tool = captured("traceloop_langchain_chain")
    assert [row["kind"] for row in (chain, prompt, chat, tool)] == ["CHAIN", "CHAIN", "LLM", "TOOL"]
    assert facts(chain)["input"] == {"order": "A-1001"}
    assert facts(chain)["output"][0]["parts"] == [{**TOOL_CALL, "name": "find"}]
    assert facts(prompt)["output"][0]["parts"] == [{"type": "text", "content": "Where is A-1001?"}]
    found = facts(tool)
    assert (found["input"], found["output"]) == ({"order_id": "A-1001"}, "packed")
    assert (found["tool_name"], found["tool_call_id"]) == ("find", "call_lookup_1")
    for row in (chain, prompt, tool):
        assert "inputs" in json.loads(attribute(row, "traceloop.entity.input"))
        assert row["provider"] == "", "langchain serves no models"


def test_a_function_may_return_an_object_that_looks_like_langchains() -> None:
    returned = json.dumps({"output": 5, "tags": [], "other": 6})
    row = only({"traceloop.span.kind": "task", "traceloop.entity.output": returned})
    assert row["output"] == returned


def test_a_chat_of_langchain_has_the_provider_and_the_cost_of_its_model() -> None:
    chat = captured("traceloop_langchain_chain")[2]
    found = facts(chat)
    assert found.pop("metadata")["ls_provider"] == "openai"
    find = {"type": "function", "name": "find", "description": "Find it."}
    (definition,) = found.pop("tool_definitions")
    assert {name: definition[name] for name in find} == find
    expected = without(OPENAI, "service_tier", "model_parameters", "reasoning_tokens", "input", "output")
    assert {name: found[name] for name in expected} == {
        **expected,
        "finish_reasons": ["tool_call"],
    }


def test_a_query_of_a_vector_database_has_the_documents_that_it_found() -> None:
    (row,) = captured("traceloop_chroma_query")
    assert facts(row) == {
        "dialect": "traceloop",
        "kind": "RETRIEVER",
        "operation": "retrieval",
        "environment": "test",
        "output": [
            {"id": "d-1", "distance": 0.0, "metadata": {"page": 3, "source": "faq"}, "content": "Parcels ship daily."},
            {"id": "d-2", "distance": 0.5, "metadata": {"source": "faq"}, "content": "Returns are free."},
        ],
    }


def test_writing_into_a_vector_database_is_no_retrieval() -> None:
    (row,) = enriched(
        Sent({"db.system": "pinecone", "db.operation": "upsert"}, scope="opentelemetry.instrumentation.pinecone")
    )
    assert (row["dialect"], row["kind"]) == ("traceloop", "OTHER")


def test_a_guardrail_is_one_and_has_what_it_looked_at() -> None:
    """By hand from traceloop-sdk 0.62.4 (`sdk/guardrail/span_attributes.py`)."""
    row = only(
        {
            "gen_ai.guardrail.name": "no secrets",
            "gen_ai.guardrail.input": "say it",
            "gen_ai.guardrail.output": "refused",
            "traceloop.entity.path": "",
        }
    )
    assert (row["kind"], row["input"], row["output"]) == ("GUARDRAIL", "say it", "refused")


def test_association_properties_reach_every_span_and_make_none_a_model_call() -> None:
    row = only({"traceloop.association.properties.session_id": "s", "http.route": "/"})
    assert (row["dialect"], row["kind"], row["session_id"], row["metadata"]) == ("traceloop", "OTHER", "s", "")
