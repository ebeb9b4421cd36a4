"""Spans of the Model Context Protocol, and of memories: the conventions' operations that are no model calls.

By hand, from the GenAI semantic conventions.
"""

from __future__ import annotations

import pytest

from tests.unit.enrich.building import only
from tests.unit.enrich.dialects.short import attributes, columns, content, cost, usage

CALL = {
    "mcp.method.name": "tools/call",
    "mcp.session.id": "m-1",
    "mcp.protocol.version": "2025-06-18",
    "jsonrpc.request.id": "7",
    "gen_ai.tool.name": "look_up_order",
    "gen_ai.tool.call.arguments": '{"order_id": "A-1001"}',
    "gen_ai.tool.call.result": '{"status": "packed"}',
}


@pytest.mark.parametrize("named", [{}, {"gen_ai.operation.name": "execute_tool"}])
def test_a_call_of_a_tool_is_a_tool_with_what_it_was_given_and_what_it_gave(named: dict[str, str]) -> None:
    row = only({**CALL, **named}, name="tools/call look_up_order")
    assert columns(row, "kind", "tool_name", "session_id") == ("TOOL", "look_up_order", "")
    assert row["operation"] == named.get("gen_ai.operation.name", "tools/call")
    assert content(row) == {"input": {"order_id": "A-1001"}, "output": {"status": "packed"}}
    assert attributes(row)["mcp.session.id"] == "m-1"


@pytest.mark.parametrize(
    "method", ["tools/list", "initialize", "prompts/get", "resources/read", "notifications/progress"]
)
def test_other_methods_are_no_calls_of_anything(method: str) -> None:
    row = only({"mcp.method.name": method, "gen_ai.prompt.name": "p"})
    assert columns(row, "kind", "operation", "prompt_name") == ("OTHER", method, "p")
    assert (usage(row), cost(row)) == ({}, (None, ""))


def test_a_tool_that_failed_says_so() -> None:
    row = only({**CALL, "error.type": "tool_error"}, failed=True)
    assert columns(row, "kind", "error", "error_type") == ("TOOL", "tool_error", "tool_error")


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ("search_memory", "RETRIEVER"),
        ("create_memory", "OTHER"),
        ("update_memory", "OTHER"),
        ("upsert_memory", "OTHER"),
        ("delete_memory", "OTHER"),
        ("create_memory_store", "OTHER"),
        ("delete_memory_store", "OTHER"),
    ],
)
def test_only_searching_a_memory_retrieves(operation: str, kind: str) -> None:
    assert only({"gen_ai.operation.name": operation})["kind"] == kind


def test_searching_a_memory_has_its_query_and_what_it_found() -> None:
    sent = {
        "gen_ai.operation.name": "search_memory",
        "gen_ai.memory.query.text": "orders",
        "gen_ai.memory.records": '[{"id": "m-1", "content": "A-1001"}]',
    }
    assert content(only(sent)) == {"input": "orders", "output": [{"id": "m-1", "content": "A-1001"}]}
