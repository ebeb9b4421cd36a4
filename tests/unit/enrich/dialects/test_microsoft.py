"""Spans of Microsoft's clients and frameworks, as their packages sent them.

agent-framework 1.23 (`tests/capture/record_agent_framework.py`), azure-ai-inference 1.0b9 and azure-ai-projects 2.10
(`record_azure.py`), semantic-kernel 1.45 (`record_semantic_kernel.py`). Azure's agents, AutoGen and .NET are by hand, from
the sources of azure-ai-agents 1.1, autogen-core 0.7, microsoft/semantic-kernel and dotnet/extensions.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.enrich.building import Sent, enriched, only
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

CALL = {"input_tokens": 100, "output_tokens": 20, "cache_read_tokens": 60, "reasoning_tokens": 5}
TWO_CALLS = {name: 2 * count for name, count in CALL.items()}
WITHOUT_CACHE = {"input_tokens": 100, "output_tokens": 20}
SYSTEM_PARTS = [{"type": "text", "content": SYSTEM}]
CALLED = tool_call("call_lookup_1", '{"order_id": "A-1001"}')
PARSED = tool_call("call_lookup_1", {"order_id": "A-1001"})
TOOL_CALLS = [{"id": "call_lookup_1", "name": "look_up_order", "arguments": '{"order_id": "A-1001"}'}]


def test_an_agent_of_the_agent_framework_repeats_the_sum_of_its_calls_and_is_no_call_itself() -> None:
    found = captured("agent_framework_agent")
    assert kinds(found) == [
        ("invoke_agent shop", "AGENT"),
        ("chat gpt-4o", "LLM"),
        ("execute_tool look_up_order", "TOOL"),
        ("chat gpt-4o", "LLM"),
    ]
    agent = found[0]
    assert identity(agent) == ("agent_framework", "AGENT", "invoke_agent", "", "gpt-4o", "")
    assert (agent["agent_name"], usage(agent)) == ("shop", TWO_CALLS)


@pytest.mark.parametrize(
    ("name", "place", "reason"),
    [
        ("agent_framework_agent", 1, "tool_calls"),
        ("agent_framework_agent", 3, "stop"),
        ("agent_framework_stream", 1, "stop"),
        ("agent_framework_responses", 0, "stop"),
    ],
)
def test_a_call_of_the_agent_framework_has_the_usage_that_openai_counted(name: str, place: int, reason: str) -> None:
    row = captured(name)[place]
    assert identity(row) == ("agent_framework", "LLM", "chat", "openai", "gpt-4o", "gpt-4o-2024-08-06")
    assert (usage(row), row["token_basis"], cost(row)) == (CALL, "inclusive", ("0.000375", "computed"))
    assert columns(row, "finish_reasons", "time_to_first_token_ns", "error") == ([reason], None, "")
    assert row["response_id"].startswith(("chatcmpl-demo-", "resp_demo_"))


def test_messages_of_the_agent_framework_are_those_of_the_conventions() -> None:
    agent, asked, tool, told = captured("agent_framework_agent")
    start = [said("user", QUESTION)]
    result = tool_result("call_lookup_1", "A-1001: packed")
    assert content(asked) == {
        "input": start,
        "output": [{**CALLED, "finish_reason": "tool_call"}],
        "system_instructions": SYSTEM_PARTS,
    }
    assert asked["tool_calls"] == TOOL_CALLS
    assert content(told)["input"] == [*start, CALLED, result]
    assert content(told)["output"] == [said("assistant", ANSWER, finish_reason="stop")]
    assert content(agent)["output"] == [CALLED, result, said("assistant", ANSWER)]
    assert [offered["name"] for offered in content(agent)["tool_definitions"]] == ["look_up_order"]
    assert columns(tool, "tool_name", "tool_call_id") == ("look_up_order", "call_lookup_1")
    assert content(tool) == {"input": {"order_id": "A-1001"}, "output": "A-1001: packed"}


CLAUDE = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "anthropic",
    "gen_ai.request.model": "claude-sonnet-4-5",
    "gen_ai.usage.input_tokens": 10,
    "gen_ai.usage.output_tokens": 20,
    "gen_ai.usage.cache_read.input_tokens": 500,
    "gen_ai.usage.cache_creation.input_tokens": 100,
}


def test_the_agent_framework_passes_on_that_claude_leaves_cached_tokens_out() -> None:
    """By hand, from agent-framework-anthropic: `usage.input_tokens` as it is, the cached ones beside it."""
    moderate = {**CLAUDE, "gen_ai.usage.input_tokens": 1000, "gen_ai.provider.name": "aws.bedrock"}
    golden, large, openai = enriched(
        *(
            Sent(sent, scope="agent_framework")
            for sent in (CLAUDE, moderate, {**moderate, "gen_ai.provider.name": "openai"})
        )
    )
    assert (golden["token_basis"], usage(golden)["input_tokens"]) == ("exclusive_scope", 610)
    assert cost(golden) == ("0.000855", "computed")
    assert (large["token_basis"], usage(large)["input_tokens"]) == ("exclusive_scope", 1600)
    assert (openai["token_basis"], usage(openai)["input_tokens"]) == ("inclusive", 1000)


@pytest.mark.parametrize(
    ("name", "place", "reason"),
    [
        ("azure_inference_chat", 0, "stop"),
        ("azure_inference_stream", 0, "stop"),
        ("azure_inference_tools", 0, "tool_calls"),
        ("azure_inference_tools", 2, "stop"),
        ("azure_projects_response", 0, "completed"),
    ],
)
def test_a_call_through_azure_s_client_has_no_cached_tokens_and_azure_s_price(
    name: str, place: int, reason: str
) -> None:
    """What is reported costs 0.00045 USD; that 60 tokens were cached it does not say."""
    row = captured(name)[place]
    assert identity(row) == ("azure_ai", "LLM", "chat", "azure.ai.inference", "gpt-4o", "gpt-4o-2024-08-06")
    assert (usage(row), row["token_basis"], cost(row)) == (WITHOUT_CACHE, "inclusive", ("0.00045", "computed"))
    assert columns(row, "price_provider", "finish_reasons") == ("azure", [reason])
    assert columns(row, "time_to_first_token_ns", "error", "session_id") == (None, "", "")


def test_the_http_request_below_a_call_is_no_call() -> None:
    found = captured("azure_inference_tools")
    assert kinds(found) == [("chat gpt-4o", "LLM"), ("POST", "OTHER")] * 2
    assert [(usage(row), cost(row)) for row in found if row["name"] == "POST"] == [({}, (None, ""))] * 2


def test_messages_of_azure_s_client_are_in_events() -> None:
    start = [said("system", SYSTEM), said("user", QUESTION)]
    (chat, _), (asked, _, told, _) = captured("azure_inference_chat"), captured("azure_inference_tools")
    assert content(chat) == {"input": start, "output": [said("assistant", ANSWER, finish_reason="stop")]}
    assert content(captured("azure_inference_stream")[0]) == content(chat)
    assert content(asked)["output"] == [{**PARSED, "finish_reason": "tool_calls"}]
    assert [call["name"] for call in asked["tool_calls"]] == ["look_up_order"]
    assert content(told)["input"] == [*start, PARSED, tool_result("call_lookup_1", '{"status": "packed"}')]


def test_messages_of_azure_s_projects_are_brought_into_canonical_form() -> None:
    (row,) = captured("azure_projects_response")
    assert content(row) == {
        "input": [said("user", QUESTION)],
        "output": [said("assistant", ANSWER, finish_reason="completed")],
    }


def test_a_failure_of_azure_s_client_says_what_failed() -> None:
    row, below = captured("azure_inference_failure")
    assert identity(row) == ("azure_ai", "LLM", "chat", "azure.ai.inference", "gpt-4o-broken", "")
    assert row["error"].startswith("(None) The server had an error while processing your request.")
    assert row["error_type"] == "azure.core.exceptions.HttpResponseError"
    assert (usage(row), cost(row), below["status_code"]) == ({}, (None, ""), "UNSET")


def test_a_run_of_azure_s_agent_service_is_an_agent_in_the_session_of_its_thread() -> None:
    sent = {
        "gen_ai.system": "az.ai.agents",
        "gen_ai.operation.name": "process_thread_run",
        "gen_ai.thread.id": "thread-1",
        "gen_ai.thread.run.id": "run-1",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
    }
    for row in (only(sent), only(sent, scope="azure.ai.agents")):
        assert columns(row, "dialect", "kind", "session_id") == ("azure_ai", "AGENT", "thread-1")
        assert (row["provider"], usage(row)) == ("azure.ai.inference", WITHOUT_CACHE)


def test_an_agent_of_semantic_kernel_asks_a_model_and_calls_a_function_in_a_loop() -> None:
    found = captured("semantic_kernel_agent")
    assert kinds(found) == [
        ("invoke_agent shop", "AGENT"),
        ("AutoFunctionInvocationLoop", "CHAIN"),
        ("chat gpt-4o", "LLM"),
        ("execute_tool Orders-look_up_order", "TOOL"),
        ("chat gpt-4o", "LLM"),
    ]
    assert {row["dialect"] for row in found} == {"semantic_kernel"}
    agent, *_ = found
    assert agent["agent_name"] == "shop"
    assert content(agent)["input"] == [said("user", QUESTION)]
    assert content(agent)["output"] == [said("assistant", ANSWER, name="shop")]
    assert [offered["name"] for offered in content(agent)["tool_definitions"]] == ["Orders-look_up_order"]


@pytest.mark.parametrize(("place", "reason"), [(2, "tool_calls"), (4, "stop")])
def test_a_call_of_semantic_kernel_has_one_finish_reason_without_the_name_of_the_enumeration(
    place: int, reason: str
) -> None:
    """What is reported costs 0.00045 USD; that 60 tokens were cached it does not say."""
    row = captured("semantic_kernel_agent")[place]
    assert identity(row) == ("semantic_kernel", "LLM", "chat", "openai", "gpt-4o", "")
    assert (usage(row), row["token_basis"], cost(row)) == (WITHOUT_CACHE, "inclusive", ("0.00045", "computed"))
    assert columns(row, "finish_reasons", "response_id") == ([reason], f"chatcmpl-demo-{place // 2}")
    assert content(row) == {}  # its messages are log records


def test_a_function_of_semantic_kernel_has_what_it_was_given_and_what_it_gave() -> None:
    tool = captured("semantic_kernel_agent")[3]
    assert columns(tool, "tool_name", "tool_call_id") == ("Orders-look_up_order", "call_lookup_1")
    assert content(tool) == {"input": {"order_id": "A-1001"}, "output": "A-1001: packed"}


def test_the_type_of_a_failure_of_semantic_kernel_is_the_name_of_a_class() -> None:
    agent, loop, chat = captured("semantic_kernel_failure")
    name = "semantic_kernel.exceptions.service_exceptions.ServiceResponseException"
    assert columns(chat, "kind", "error_type", "request_model") == ("LLM", name, "gpt-4o-broken")
    assert [row["error_type"] for row in (agent, loop)] == ["ServiceResponseException", name]
    assert all("InternalServerError" in row["error"] for row in (agent, loop, chat))
    assert usage(chat) == {}


SEMANTIC_KERNEL_NET: dict[str, Any] = {
    "gen_ai.operation.name": "chat.completions",
    "gen_ai.system": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.prompt_tokens": 100,
    "gen_ai.response.completion_tokens": 20,
    "gen_ai.response.finish_reason": "Stop",
    "gen_ai.response.id": "r-1",
}


def test_semantic_kernel_of_net_has_names_of_its_own_for_operations_and_tokens() -> None:
    row = only(SEMANTIC_KERNEL_NET, scope="Microsoft.SemanticKernel.Diagnostics")
    assert identity(row) == ("semantic_kernel", "LLM", "chat.completions", "openai", "gpt-4o", "")
    assert (usage(row), row["finish_reasons"], cost(row)) == (WITHOUT_CACHE, ["stop"], ("0.00045", "computed"))


@pytest.mark.parametrize("scope", ["Experimental.Microsoft.Extensions.AI", "Microsoft.Extensions.AI", ""])
def test_early_releases_of_microsoft_extensions_ai_report_tokens_as_part_of_the_response(scope: str) -> None:
    """dotnet/extensions#6493."""
    sent = {
        "gen_ai.operation.name": "chat",
        "gen_ai.system": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
        "gen_ai.response.input_tokens": 100,
        "gen_ai.response.output_tokens": 20,
    }
    row = only(sent, scope=scope)
    assert identity(row)[1:] == ("LLM", "chat", "openai", "gpt-4o-mini", "gpt-4o-mini-2024-07-18")
    assert row["dialect"] == ("extensions_ai" if scope else "genai")
    assert (usage(row), cost(row)) == (WITHOUT_CACHE, ("0.000027", "computed"))


def test_what_the_conventions_call_usage_comes_before_what_early_releases_called_so() -> None:
    sent = {"gen_ai.response.input_tokens": 1, "gen_ai.usage.input_tokens": 2, "gen_ai.operation.name": "chat"}
    assert usage(only(sent)) == {"input_tokens": 2}


def test_autogen_has_agents_and_tools_and_is_no_provider() -> None:
    scope = "autogen-core"
    agent, tool = enriched(
        Sent(
            {"gen_ai.operation.name": "invoke_agent", "gen_ai.system": "autogen", "gen_ai.agent.name": "a"}, scope=scope
        ),
        Sent(
            {"gen_ai.operation.name": "execute_tool", "gen_ai.system": "autogen", "gen_ai.tool.name": "t"}, scope=scope
        ),
    )
    assert columns(agent, "dialect", "kind", "provider", "agent_name") == ("autogen", "AGENT", "", "a")
    assert columns(tool, "dialect", "kind", "provider", "tool_name") == ("autogen", "TOOL", "", "t")


def test_a_thread_id_of_something_else_does_not_make_a_span_azure_s() -> None:
    row = only({"thread.id": 17, "gen_ai.operation.name": "chat"})
    assert columns(row, "dialect", "session_id") == ("genai", "")
    assert attributes(row)["thread.id"] == 17
