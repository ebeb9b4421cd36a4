"""LangSmith's OpenTelemetry export: spans recorded from the package; by hand what no run of it shows."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.support.otlp import Pairs
from tests.unit.enrich.building import only
from tests.unit.enrich.dialects.captured import captured
from tests.unit.enrich.dialects.expected import (
    ANSWER,
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
    ORDER,
    QUESTION,
    SCHEMA,
    TOOL,
    facts,
)

EVERYWHERE = {"dialect": "langsmith", "environment": "test"}
FROM_TRACE = {"session_id": "conversation-42", "user_id": "user-7", "tags": ["shop", "beta"]}
OF_LIBRARY = {"revision_id": "1.0"}
CHAT = {
    **EVERYWHERE,
    **GPT_4O_OBJECT,
    **GPT_4O_COST,
    "kind": "LLM",
    "operation": "chat",
    "provider": "openai",
    "request_model": "gpt-4o",
    "response_model": "gpt-4o-2024-08-06",
    "service_tier": "default",
    "finish_reasons": ["stop"],
    "model_parameters": {"temperature": 0.2},
    "input": ASKED_WITH_SYSTEM,
    "output": [{**ANSWERED[0], "finish_reason": "stop"}],
    "token_basis": "inclusive_total",
}
RESULT = {"type": "tool_call_response", "id": "call_lookup_1", "response": '{"status": "packed"}'}


def answered(row: dict[str, Any]) -> dict[str, Any]:
    """The facts of a row without its response's id, which is counted on, and the metadata of LangSmith itself."""
    found = facts(row)
    assert found.pop("response_id").startswith(("chatcmpl-demo-", "msg_demo_"))
    metadata = found.pop("metadata")
    assert metadata | OF_LIBRARY == metadata
    return found


def test_a_function_around_a_chat_is_a_chain_and_the_chat_is_complete() -> None:
    chain, chat = captured("langsmith_openai_chat")
    assert facts(chain) == {
        **EVERYWHERE,
        **FROM_TRACE,
        "kind": "CHAIN",
        "operation": "chain",
        "provider": "langchain",
        "metadata": OF_LIBRARY,
        "input": {"question": QUESTION},
        "output": ANSWER,
    }
    assert answered(chat) == {**CHAT, **FROM_TRACE}
    assert not {"gen_ai.prompt", "gen_ai.completion"} & {
        key for row in (chain, chat) for key, _, _ in row["attributes"]
    }


def test_a_streamed_chat_is_as_complete() -> None:
    (row,) = captured("langsmith_openai_stream")
    parameters = {"temperature": 0.2, "stream": True, "stream_options": {"include_usage": True}}
    assert answered(row) == {**CHAT, "model_parameters": parameters}


def test_tools_stand_beside_the_messages() -> None:
    (row,) = captured("langsmith_openai_tools")
    asked = [*ASKED_WITH_SYSTEM, *CALLED, {"role": "tool", "parts": [RESULT]}]
    assert answered(row) == {**CHAT, "input": asked, "tool_definitions": [TOOL]}


def test_a_failed_call_has_the_class_of_its_error_and_no_output() -> None:
    (row,) = map(facts, captured("langsmith_openai_failure"))
    assert row.pop("error").startswith("InternalServerError('Error code: 500 - The server had an error")
    assert row == {
        **EVERYWHERE,
        "kind": "LLM",
        "operation": "chat",
        "provider": "openai",
        "request_model": "gpt-4o-broken",
        "model_parameters": {"temperature": 0.2},
        "metadata": OF_LIBRARY,
        "input": ASKED_WITH_SYSTEM,
        "error_type": "InternalServerError",
    }


def test_a_retriever_is_no_embedding_and_has_documents() -> None:
    (row,) = map(facts, captured("langsmith_retriever"))
    assert row == {
        **EVERYWHERE,
        "kind": "RETRIEVER",
        "operation": "retrieval",
        "provider": "langchain",
        "metadata": OF_LIBRARY,
        "input": QUESTION,
        "output": [{"content": "Parcels ship daily.", "metadata": {"source": "faq"}}],
    }


def test_langchains_chat_and_tool_say_as_much_as_the_client_itself() -> None:
    chat, tool = captured("langsmith_langchain_openai")
    found = answered(chat)
    (output,) = found.pop("output")
    assert output["parts"] == CALLED[0]["parts"]
    expected = {
        **CHAT,
        "session_id": "conversation-42",
        "finish_reasons": ["tool_calls"],
        "input": ASKED,
        "tool_calls": CALLS,
        "tool_definitions": [{**TOOL, "parameters": SCHEMA}],
    }
    assert found == {name: value for name, value in expected.items() if name not in ("output", "model_parameters")}
    assert facts(tool) == {
        **EVERYWHERE,
        "session_id": "conversation-42",
        "kind": "TOOL",
        "operation": "execute_tool",
        "provider": "langchain",
        "metadata": OF_LIBRARY,
        "tool_name": "look_up_order",
        "tool_call_id": "c-1",
        "input": {"order_id": "A-1001"},
        "output": ORDER,
    }


def test_anthropics_cached_tokens_are_counted_once_and_cache_writes_by_lifetime() -> None:
    """LangChain tells a cache write of five minutes apart, and sets the count of all cache writes to 0."""
    (row,) = captured("langsmith_langchain_anthropic")
    found = answered(row)
    assert found | CLAUDE | CLAUDE_COST == found
    assert (found["cache_write_1h_tokens"], found["finish_reasons"]) == (0, ["end_turn"])
    assert (found["provider"], found["response_model"]) == ("anthropic", "claude-sonnet-4-5-20250929")


def run(attributes: Pairs) -> dict[str, Any]:
    """A model call of any tracer that says it is one of LangSmith's."""
    return facts(only({"langsmith.span.kind": "llm", "gen_ai.request.model": "gpt-4o", **dict(attributes)}))


def test_details_that_are_the_text_of_a_python_dict_are_parts_of_the_usage() -> None:
    """ClickHouse/nerve#105: unread, they made $914 into $6,467."""
    sent = {
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 100,
        "gen_ai.usage.total_tokens": 1100,
        "gen_ai.usage.input_token_details": "{'cache_read': 900, 'cache_creation': 10, 'audio': 0}",
        "gen_ai.usage.output_token_details": "{'reasoning': 40}",
    }
    found = run(sent)
    names = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "token_basis")
    assert [found[name] for name in names] == [1000, 900, 10, 40, "inclusive_total"]
    assert found["cost_total"] < run(sent | {"gen_ai.usage.input_token_details": ""})["cost_total"]


@pytest.mark.parametrize(
    "odd",
    [
        "{'cache_read': __import__('os')}",
        "{'cache_read': 1",
        "(" * 3000,
        "{'a': " * 900,
        "{'cache_read': 1}" + " " * 5000,
        "[1, 2]",
        "é",
        "{'cache_read': {}}",
    ],
)
def test_details_that_are_no_dict_of_counts_are_none(odd: str) -> None:
    found = run({"gen_ai.usage.input_tokens": 10, "gen_ai.usage.input_token_details": odd})
    assert found["input_tokens"] == 10
    assert "cache_read_tokens" not in found


def test_the_usage_in_the_metadata_is_read_where_nothing_else_tells_it() -> None:
    usage = {"input_tokens": 100, "output_tokens": 20, "input_token_details": {"cache_read": 60}}
    found = run({"langsmith.metadata.usage_metadata": json.dumps({**usage, "output_token_details": {"reasoning": 5}})})
    assert found | GPT_4O == found
    assert found["cost_total"] == Decimal("0.000375")


def test_the_response_tells_the_usage_where_no_attribute_does() -> None:
    usage = {
        "input_tokens": 10,
        "cache_read_input_tokens": 500,
        "cache_creation_input_tokens": 100,
        "output_tokens": 20,
    }
    response = {
        "role": "assistant",
        "content": [{"type": "text", "text": ANSWER}],
        "usage": usage,
        "stop_reason": "end_turn",
    }
    sent = {"gen_ai.request.model": "claude-sonnet-4-5", "gen_ai.completion": json.dumps(response)}
    found = run(sent)
    assert found | CLAUDE | CLAUDE_COST == found
    assert (found["output"][0]["parts"], found["finish_reasons"]) == (ANSWERED[0]["parts"], ["end_turn"])


def test_a_project_is_no_session() -> None:
    sent = {"langsmith.trace.session_id": "p", "langsmith.trace.session_name": "shop"}
    assert "session_id" not in run(sent)
    assert run({**sent, "langsmith.metadata.thread_id": "t"})["session_id"] == "t"


@pytest.mark.parametrize(
    ("run_type", "kind", "operation"),
    [("prompt", "CHAIN", "prompt"), ("parser", "CHAIN", "parser"), ("embedding", "EMBEDDING", "embeddings")],
)
def test_the_type_of_the_run_comes_before_the_operation(run_type: str, kind: str, operation: str) -> None:
    sent = {"langsmith.span.kind": run_type, "gen_ai.operation.name": "chat" if run_type == "prompt" else operation}
    found = facts(only(sent))
    assert (found["kind"], found["operation"]) == (kind, operation)


@pytest.mark.parametrize(("sent", "output"), [("{}", {}), ("[]", []), ("null", None), ('"x"', "x"), ("{", "{")])
def test_outputs_of_any_form_are_kept(sent: str, output: Any) -> None:
    row = only({"langsmith.span.kind": "chain", "gen_ai.completion": sent})
    found = facts(row)
    assert found.get("output") == output or ("gen_ai.completion", "string", sent) in row["attributes"]
