"""Pydantic AI: its own messages, as its history dumps them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.enrich.messages.media import media
from collector.enrich.messages.parts import (
    Converter,
    Fields,
    Part,
    first,
    json_object,
    reasoning,
    server_tool_call,
    server_tool_call_response,
    text,
    tool_call,
    tool_call_response,
)

_ROLES = {"system-prompt": "system", "user-prompt": "user", "tool-return": "tool", "retry-prompt": "user"}
"""Whose words the parts of a request are; all parts of a response are the assistant's."""


def is_message(value: Mapping[str, Any]) -> bool:
    """Say whether this is one of Pydantic AI's messages."""
    return value.get("kind") in ("request", "response") and isinstance(value.get("parts"), list)


def by_role(value: Mapping[str, Any]) -> list[Fields]:
    """Return the messages, one for each role in turn, that one of Pydantic AI's is; their parts as they came."""
    is_request = value["kind"] == "request"
    beside = {key: inner for key, inner in value.items() if key not in ("kind", "parts")}
    messages: list[Fields] = []
    if isinstance(beside.get("instructions"), str):
        messages.append({"role": "system", "parts": text(beside.pop("instructions"))})
    for part in value["parts"]:
        role = _role(part) if is_request else "assistant"
        if not messages or messages[-1]["role"] != role:
            messages.append({"role": role, "parts": []})
        if _is_list_of_prompts(part):
            messages[-1]["parts"] += part["content"]
            messages[-1] = {**part, **messages[-1]}
        else:
            messages[-1]["parts"].append(part)
    if messages:
        messages[-1] = {**beside, **messages[-1]}
    return [{k: v for k, v in message.items() if k not in ("part_kind", "content")} for message in messages]


def _role(part: Any) -> str:
    kind = part.get("part_kind") if isinstance(part, dict) else None
    if kind == "retry-prompt" and part.get("tool_name"):
        return "tool"
    return _ROLES.get(kind, "user") if isinstance(kind, str) else "user"


def _is_list_of_prompts(part: Any) -> bool:
    return isinstance(part, dict) and part.get("part_kind") == "user-prompt" and isinstance(part.get("content"), list)


def prompt(fields: Fields) -> list[Part]:
    """Return a prompt that is one text."""
    return text(fields.pop("content", None))


def thinking(fields: Fields) -> list[Part]:
    """Return reasoning."""
    return reasoning(fields.pop("content", None))


def call(fields: Fields) -> list[Part]:
    """Return a call, whose arguments are an object or JSON text."""
    return tool_call(fields.pop("tool_call_id", None), fields.pop("tool_name", None), fields.pop("args", None))


def tool_return(fields: Fields) -> list[Part]:
    """Return what a tool answered."""
    name = fields.pop("tool_name", None)
    if name is not None:
        fields["name"] = name
    return tool_call_response(fields.pop("tool_call_id", None), fields.pop("content", None))


def retry(fields: Fields) -> list[Part]:
    """Return what was wrong with the model's answer: the response to a tool call if it was one, else words to the model."""
    return tool_return(fields) if "tool_name" in fields else text(fields.pop("content", None))


def file(fields: Fields) -> list[Part]:
    """Return what the model made: ``{"data": base64, "media_type": ..., "kind": "binary"}``."""
    content = fields.get("content")
    if not isinstance(content, dict) or not content.keys().isdisjoint(fields):
        return []
    del fields["content"]
    fields.update({key: value for key, value in content.items() if value is not None and key != "kind"})
    return media(fields, "")


def builtin_call(fields: Fields) -> list[Part]:
    """Return a call that the provider ran by itself."""
    call_id, name = fields.pop("tool_call_id", None), fields.pop("tool_name", None)
    return server_tool_call(call_id, name, {"type": name, "args": json_object(first(fields, "args"))})


def builtin_return(fields: Fields) -> list[Part]:
    """Return what the provider's own tool found."""
    call_id, name = fields.pop("tool_call_id", None), fields.pop("tool_name", None)
    return server_tool_call_response(call_id, {"type": name, "content": first(fields, "content")})


PARTS: dict[str, Converter] = {
    **dict.fromkeys(("system-prompt", "user-prompt", "text"), prompt),
    "thinking": thinking,
    "tool-call": call,
    "tool-return": tool_return,
    "retry-prompt": retry,
    "file": file,
    "builtin-tool-call": builtin_call,
    "builtin-tool-return": builtin_return,
}
"""Converters by `part_kind`; lists of prompts hold texts and media, which all families share."""
