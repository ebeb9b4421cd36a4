"""Pydantic AI: the parts of its own messages, as its history dumps them."""

from __future__ import annotations

from collector.enrich.messages.parts import (
    Converter,
    Fields,
    Part,
    first,
    json_object,
    reasoning,
    server_tool,
    text,
    tool_call,
    tool_call_response,
)

ROLES = {
    "system-prompt": "system",
    "user-prompt": "user",
    "tool-return": "tool",
    "retry-prompt": "user",
    "text": "assistant",
    "thinking": "assistant",
    "tool-call": "assistant",
    "builtin-tool-call": "assistant",
    "builtin-tool-return": "assistant",
    "file": "assistant",
}
"""Whose words each kind of part is: one request holds those of the system, the user and the tools."""


def prompt(fields: Fields) -> list[Part]:
    """Return a prompt that is one text; one that is a list is looked at part by part."""
    return text(fields.pop("content", None))


def thinking(fields: Fields) -> list[Part]:
    """Return reasoning."""
    return reasoning(fields.pop("content", None))


def call(fields: Fields) -> list[Part]:
    """Return a call, whose arguments are an object or JSON text."""
    return tool_call(fields.pop("tool_call_id", None), fields.pop("tool_name", None), fields.pop("args", None))


def tool_return(fields: Fields) -> list[Part]:
    """Return what a tool answered."""
    return tool_call_response(fields.pop("tool_call_id", None), fields.pop("content", None))


def retry(fields: Fields) -> list[Part]:
    """Return what was wrong with the model's answer: the response to a tool call if it was one, else words to the model."""
    if "tool_name" in fields:
        return tool_return(fields)
    return text(fields["content"]) if isinstance(fields.get("content"), str) and fields.pop("content") else []


def builtin_call(fields: Fields) -> list[Part]:
    """Return a call that the provider ran by itself."""
    call_id, name = fields.pop("tool_call_id", None), fields.pop("tool_name", None)
    details = {"type": name, "args": json_object(first(fields, "args"))}
    return server_tool("server_tool_call", call_id, name, details) if isinstance(name, str) else []


def builtin_return(fields: Fields) -> list[Part]:
    """Return what the provider's own tool found."""
    call_id, name = fields.pop("tool_call_id", None), fields.pop("tool_name", None)
    details = {"type": name, "content": first(fields, "content")}
    return server_tool("server_tool_call_response", call_id, None, details)


PARTS: dict[str, Converter] = {
    "system-prompt": prompt,
    "user-prompt": prompt,
    "text": prompt,
    "thinking": thinking,
    "tool-call": call,
    "tool-return": tool_return,
    "retry-prompt": retry,
    "builtin-tool-call": builtin_call,
    "builtin-tool-return": builtin_return,
}
"""Converters by `part_kind`; lists of prompts and files hold media, which all families share."""
