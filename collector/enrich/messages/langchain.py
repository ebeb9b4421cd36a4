"""LangChain: its standard content blocks, and the names and wrappings of its messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.enrich.messages.parts import (
    Converter,
    Fields,
    Part,
    first,
    json_object,
    server_tool,
    tool_call,
)

ROLES = {
    "human": "user",
    "ai": "assistant",
    "system": "system",
    "tool": "tool",
    "function": "tool",
    "developer": "developer",
    "chat": "",
    "HumanMessage": "user",
    "AIMessage": "assistant",
    "SystemMessage": "system",
    "ToolMessage": "tool",
    "FunctionMessage": "tool",
    "ChatMessage": "",
    "HumanMessageChunk": "user",
    "AIMessageChunk": "assistant",
    "SystemMessageChunk": "system",
    "ToolMessageChunk": "tool",
    "FunctionMessageChunk": "tool",
    "ChatMessageChunk": "",
    # AutoGen names its messages like this.
    "UserMessage": "user",
    "AssistantMessage": "assistant",
}
"""Roles by the `type` of a dumped message, or the name of its class; "" where the message itself names its role."""


def unwrapped(value: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]] | None:
    """Return the name and the fields of a dumped object; None if `value` is none.

    ``{"lc": 1, "type": "constructor", "id": [..., "AIMessage"], "kwargs": {...}}`` or ``{"type": "ai", "data": {...}}``.
    """
    if "lc" in value:
        path, fields = value.get("id"), value.get("kwargs")
        if isinstance(path, list) and path and isinstance(path[-1], str) and isinstance(fields, dict):
            return path[-1], fields
    kind, data = value.get("type"), value.get("data")
    if isinstance(kind, str) and kind in ROLES and isinstance(data, dict) and "content" not in value:
        return kind, data
    return None


def call(fields: Fields) -> list[Part]:
    """Return a call, whose arguments are `args`; one that could not be parsed has them as text, with the error."""
    return tool_call(fields.pop("id", None), fields.pop("name", None), first(fields, "args", "arguments"))


def server_call(fields: Fields) -> list[Part]:
    """Return a call that the provider ran by itself; in canonical form its details have a name of their own."""
    call_id, name = fields.pop("id", None), fields.pop("name", None)
    details = fields.pop("server_tool_call", None)
    if not isinstance(details, dict):
        details = {"type": name, "args": json_object(first(fields, "args"))}
    return server_tool("server_tool_call", call_id, name, details) if isinstance(name, str) else []


def server_result(fields: Fields) -> list[Part]:
    """Return what the provider's own tool found."""
    call_id = fields.pop("tool_call_id", None)
    details = {"type": "server_tool_result", **fields}
    fields.clear()
    return server_tool("server_tool_call_response", call_id, None, details)


PARTS: dict[str, Converter] = {
    "invalid_tool_call": call,
    "tool_call_chunk": call,
    "server_tool_result": server_result,
}
"""Converters by the `type` of a content block; text, reasoning and media are those that all families share."""
