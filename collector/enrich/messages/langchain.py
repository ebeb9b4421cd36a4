"""LangChain: its standard content blocks, and the names and wrappings of its messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
)

_CLASSES = {
    "HumanMessage": "user",
    "AIMessage": "assistant",
    "SystemMessage": "system",
    "ToolMessage": "tool",
    "FunctionMessage": "tool",
    "ChatMessage": "",
}
ROLES = {
    "human": "user",
    "ai": "assistant",
    "system": "system",
    "developer": "developer",
    "tool": "tool",
    "function": "tool",
    "chat": "",
    **_CLASSES,
    **{f"{name}Chunk": role for name, role in _CLASSES.items()},
    # AutoGen's model messages.
    "UserMessage": "user",
    "AssistantMessage": "assistant",
}
"""Roles by the `type` of a dumped message, or the name of its class; "" where the message itself names its role."""

_CONSTRUCTOR = ("lc", "type", "id", "kwargs", "name", "graph")
_GENERATIONS = ("Generation", "GenerationChunk", "ChatGeneration", "ChatGenerationChunk")


def unwrapped(value: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]] | None:
    """Return the name and the fields of a dumped object; None if `value` is none.

    ``{"lc": 1, "type": "constructor", "id": [..., "AIMessage"], "kwargs": {...}}`` or ``{"type": "ai", "data": {...}}``.
    """
    if "lc" in value:
        path, fields = value.get("id"), value.get("kwargs")
        if isinstance(path, list) and path and isinstance(path[-1], str) and isinstance(fields, dict):
            return path[-1], {**{key: inner for key, inner in value.items() if key not in _CONSTRUCTOR}, **fields}
    kind, data = value.get("type"), value.get("data")
    if isinstance(kind, str) and kind in ROLES and isinstance(data, dict) and "content" in data:
        return kind, {**{key: inner for key, inner in value.items() if key not in ("type", "data")}, **data}
    return None


def generation(value: Mapping[str, Any]) -> Fields | None:
    """Return a generation, or a choice of OpenAI's completions, as ``{"message": ..., "finish_reason": ...}``; else None."""
    is_named = value.get("type") in _GENERATIONS
    has_reason = "generation_info" in value or "finish_reason" in value
    if not is_named and not (has_reason and isinstance(value.get("text"), str)):
        return None
    fields = {key: inner for key, inner in value.items() if inner is not None}
    if is_named:
        del fields["type"]
    info = fields.pop("generation_info", None)
    said = fields.pop("text", None)
    if "message" not in fields:
        fields["message"] = {"content": said}
    elif isinstance(said, str) and said not in _texts(fields["message"]):
        fields["text"] = said
    if isinstance(info, dict):
        fields.update({key: inner for key, inner in info.items() if key not in fields})
    return fields


def _texts(message: Any) -> list[Any]:
    """Return the texts that a generation repeats: the content of its message, or the texts in it."""
    wrapped = unwrapped(message) if isinstance(message, dict) else None
    content = (wrapped[1] if wrapped else message if isinstance(message, dict) else {}).get("content")
    blocks = content if isinstance(content, list) else []
    texts = [block.get("text") for block in blocks if isinstance(block, dict)]
    return [content, "", *texts, "".join(each for each in texts if isinstance(each, str))]


def call(fields: Fields) -> list[Part]:
    """Return a call, whose arguments are `args`; one that could not be parsed has them as text, with the error."""
    return tool_call(fields.pop("id", None), fields.pop("name", None), first(fields, "args", "arguments"))


def server_call(fields: Fields) -> list[Part]:
    """Return a call that the provider ran by itself."""
    call_id, name = fields.pop("id", None), fields.pop("name", None)
    return server_tool_call(call_id, name, {"type": name, "args": json_object(first(fields, "args"))})


def server_result(fields: Fields) -> list[Part]:
    """Return what the provider's own tool found."""
    return server_tool_call_response(fields.pop("tool_call_id", None), {"type": "server_tool_result", **all_of(fields)})


PARTS: dict[str, Converter] = {
    **dict.fromkeys(("invalid_tool_call", "tool_call_chunk"), call),
    "server_tool_call": server_call,
    "server_tool_result": server_result,
}
"""Converters by the `type` of a content block; text, reasoning and media are those that all families share."""
