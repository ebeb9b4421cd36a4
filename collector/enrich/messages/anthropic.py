"""Anthropic: content blocks of the messages API."""

from __future__ import annotations

from collector.enrich.messages.parts import (
    Converter,
    Fields,
    Part,
    all_of,
    first,
    json_object,
    server_tool_call,
    server_tool_call_response,
    tool_call,
    tool_call_response,
)

SERVER_RESULT = "_tool_result"
"""How the types of blocks end that hold what the provider's own tools found (``web_search_tool_result``)."""


def tool_use(fields: Fields) -> list[Part]:
    """Return a call of one of the application's tools."""
    return tool_call(fields.pop("id", None), fields.pop("name", None), fields.pop("input", None))


def tool_result(fields: Fields) -> list[Part]:
    """Return what one of the application's tools answered; an empty answer has no `content`."""
    return tool_call_response(first(fields, "tool_use_id", "id"), fields.pop("content", ""))


def redacted_thinking(fields: Fields) -> list[Part]:
    """Return reasoning that only the provider can read."""
    return [{"type": "reasoning", "content": "", "encrypted_content": fields.pop("data", "")}]


def server_tool_use(fields: Fields) -> list[Part]:
    """Return a call that the provider runs by itself (web search, code execution, MCP)."""
    call_id, name = fields.pop("id", None), fields.pop("name", None)
    details = {key: json_object(value) if key == "input" else value for key, value in all_of(fields).items()}
    return server_tool_call(call_id, name, {"type": name, **details})


def server_tool_result(fields: Fields) -> list[Part]:
    """Return what the provider's own tool found, under the name of the tool."""
    name = fields.pop("type").removesuffix(SERVER_RESULT)
    return server_tool_call_response(fields.pop("tool_use_id", None), {"type": name, **all_of(fields)})


PARTS: dict[str, Converter] = {
    "tool_use": tool_use,
    "tool_result": tool_result,
    "redacted_thinking": redacted_thinking,
    **dict.fromkeys(("server_tool_use", "mcp_tool_use"), server_tool_use),
}
"""Converters by the `type` of a block; text, thinking, image and document are those that all families share."""
