"""Messages of Anthropic: its blocks, requests and responses."""

from __future__ import annotations

from typing import Any

import pytest

from collector.enrich.messages import canonical_messages
from tests.unit.enrich.parts import answered, blob, called, reasoning, text


def parts_of(content: Any, role: str = "user") -> Any:
    """The canonical parts of one message with this content."""
    [message] = canonical_messages([{"role": role, "content": content}], "user") or []
    assert message.keys() == {"role", "parts"}
    return message["parts"]


def test_blocks_of_anthropic_become_parts() -> None:
    conversation = [
        {"role": "user", "content": "Weather?"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Look it up.", "signature": "s1"},
                {"type": "redacted_thinking", "data": "ENCRYPTED"},
                {"type": "text", "text": "Let me look."},
                {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Paris"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": "20 degrees"},
                {"type": "text", "text": "And now?", "cache_control": {"type": "ephemeral"}},
            ],
        },
    ]
    assert canonical_messages(conversation, "user") == [
        {"role": "user", "parts": [text("Weather?")]},
        {
            "role": "assistant",
            "parts": [
                reasoning("Look it up.", signature="s1"),
                reasoning("", encrypted_content="ENCRYPTED"),
                text("Let me look."),
                called("weather", {"city": "Paris"}, id="toolu_1"),
            ],
        },
        {
            "role": "user",
            "parts": [answered("20 degrees", id="toolu_1"), text("And now?", cache_control={"type": "ephemeral"})],
        },
    ]


@pytest.mark.parametrize(
    ("result", "response"),
    [
        ({"content": [{"type": "text", "text": "20"}]}, {"response": "20"}),
        ({"content": [{"type": "text", "text": "20"}, {"type": "text", "text": "degrees"}]}, {}),
        ({"content": "no such city", "is_error": True}, {"response": "no such city", "is_error": True}),
        ({"content": "20", "is_error": False}, {"response": "20"}),
        ({}, {"response": ""}),
    ],
)
def test_what_a_tool_answered_is_the_response(result: dict[str, Any], response: dict[str, Any]) -> None:
    [part] = parts_of([{"type": "tool_result", "tool_use_id": "toolu_1", **result}])
    assert part == {"type": "tool_call_response", "id": "toolu_1", **(response or {"response": result["content"]})}


def test_images_and_documents_of_anthropic_are_where_they_are() -> None:
    assert parts_of(
        [
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}},
            {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
            {"type": "image", "source": {"type": "file", "file_id": "file_1"}},
            {
                "type": "document",
                "title": "A",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "aGk="},
                "citations": {"enabled": True},
            },
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "The text."},
                "title": "B",
            },
        ]
    ) == [
        blob("image", "image/png"),
        {"type": "uri", "modality": "image", "uri": "https://example.com/a.png"},
        {"type": "file", "modality": "image", "file_id": "file_1"},
        blob("document", "application/pdf", title="A", citations={"enabled": True}),
        text("The text.", media_type="text/plain", title="B"),
    ]


def test_tools_that_anthropic_runs_are_server_tools() -> None:
    found = [{"type": "web_search_result", "title": "Paris", "url": "https://example.com", "encrypted_content": "x"}]
    assert parts_of(
        [
            {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "Paris"}},
            {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": found},
            {"type": "mcp_tool_use", "id": "mcptoolu_1", "name": "echo", "server_name": "s", "input": {}},
            {"type": "mcp_tool_result", "tool_use_id": "mcptoolu_1", "is_error": False, "content": []},
        ],
        "assistant",
    ) == [
        {
            "type": "server_tool_call",
            "id": "srvtoolu_1",
            "name": "web_search",
            "server_tool_call": {"type": "web_search", "input": {"query": "Paris"}},
        },
        {
            "type": "server_tool_call_response",
            "id": "srvtoolu_1",
            "server_tool_call_response": {"type": "web_search", "content": found},
        },
        {
            "type": "server_tool_call",
            "id": "mcptoolu_1",
            "name": "echo",
            "server_tool_call": {"type": "echo", "server_name": "s", "input": {}},
        },
        {
            "type": "server_tool_call_response",
            "id": "mcptoolu_1",
            "server_tool_call_response": {"type": "mcp", "is_error": False, "content": []},
        },
    ]


def test_a_response_of_anthropic_is_its_message() -> None:
    response = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5",
        "content": [{"type": "text", "text": "Hi", "citations": None}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 20},
    }
    assert canonical_messages(response, "assistant") == [
        {"role": "assistant", "parts": [text("Hi")], "finish_reason": "end_turn"}
    ]


def test_a_request_of_anthropic_is_system_and_messages() -> None:
    request = {
        "model": "claude-sonnet-4-5",
        "max_tokens": 100,
        "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        "messages": [{"role": "user", "content": "Hi"}],
        "tools": [{"name": "weather", "input_schema": {"type": "object"}}],
    }
    assert canonical_messages(request, "user") == [
        {"role": "system", "parts": [text("Be brief.", cache_control={"type": "ephemeral"})]},
        {"role": "user", "parts": [text("Hi")]},
    ]


def test_content_without_a_message_is_spoken_by_its_role() -> None:
    content = [{"type": "text", "text": "Let me look."}, {"type": "tool_use", "id": "t1", "name": "f", "input": {}}]
    assert canonical_messages(content, "assistant") == [
        {"role": "assistant", "parts": [text("Let me look."), called("f", {}, id="t1")]}
    ]
    answer = [{"type": "tool_result", "tool_use_id": "t1", "content": "20"}, {"type": "text", "text": "And now?"}]
    assert canonical_messages(answer, "user") == [
        {"role": "tool", "parts": [answered("20", id="t1")]},
        {"role": "user", "parts": [text("And now?")]},
    ]
