"""Stored input and output text to JSON values, and GenAI messages to chat messages.

Spans carry messages as the OpenTelemetry GenAI conventions define them, ``{"role", "parts": [{"type", ...}]}``; the
documented APIs show ``{"role", "content", ...}``. What has no place in that form is kept under ``parts``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.json_text import json_value, render

Message = dict[str, Any]

# What only the provider reads when the part is sent back to it, and what numbers its own items.
_BOOKKEEPING = frozenset(
    {"item_id", "signature", "thought_signature", "thoughtSignature", "encrypted_content", "index"}
)

# The keys of each part type that have a place in a chat message; a part with any other is kept under `parts` too.
_FOLDED_KEYS = {
    "text": frozenset({"type", "content"}) | _BOOKKEEPING,
    "refusal": frozenset({"type", "content"}),
    "reasoning": frozenset({"type", "id", "content"}) | _BOOKKEEPING,
    "thinking": frozenset({"type", "id", "content"}) | _BOOKKEEPING,
    "tool_call": frozenset({"type", "id", "name", "arguments"}) | _BOOKKEEPING,
    "tool_call_response": frozenset({"type", "id", "name", "response", "result", "is_error"}) | _BOOKKEEPING,
}


def span_content(kind: str, text: str, role: str, system_instructions: str = "") -> Any:
    """Return a span's input or output as the API shows it: ``{"messages": [...]}``, a JSON value, text, or None.

    `role` is whose words they are where a message does not say: user for an input, assistant for an output. System
    instructions become the first message. Arguments and results of tools are never taken for messages.
    """
    value = json_value(text) if text else None
    if kind == "TOOL":
        return value
    messages = _as_messages(value)
    if messages is None:
        if not system_instructions:
            return value
        messages = [] if value is None else [{"role": role, "content": value}]
    shown = _system_messages(system_instructions) if system_instructions else []
    for message in messages:
        shown.extend(chat_messages(message, role))
    return {"messages": shown}


def last_message(content: Any, role: str) -> Any:
    """Return what a trace shows of a span's content: only the last message of this role, or None if there is none.

    Content that is not a list of messages is returned whole.
    """
    if not isinstance(content, dict) or not isinstance(content.get("messages"), list):
        return content
    for message in reversed(content["messages"]):
        if isinstance(message, dict) and message.get("role") == role:
            return {"messages": [message]}
    return None


def chat_messages(message: Mapping[str, Any], default_role: str) -> list[Message]:
    """Return the chat messages that one GenAI message stands for: a message per tool result, then the rest as one.

    Texts are joined by a newline, and so is reasoning. A message without `parts` is one already.
    """
    parts = message.get("parts")
    if not isinstance(parts, list):
        return [{"role": default_role, **message}]
    folded: dict[str, list[Any]] = {
        "text": [], "reasoning": [], "refusal": [], "tool_calls": [], "results": [], "parts": [],
    }  # fmt: skip
    for part in parts:
        _fold(part, folded)
    role = message.get("role")
    spoken: Message = {"role": role if isinstance(role, str) and role else default_role}
    spoken["content"] = "\n".join(folded["text"]) if folded["text"] else None
    for key in ("reasoning", "refusal"):
        if folded[key]:
            spoken[key] = "\n".join(folded[key])
    for key in ("tool_calls", "parts"):
        if folded[key]:
            spoken[key] = folded[key]
    results: list[Message] = folded["results"]
    shown = [*results, spoken] if len(spoken) > 2 or folded["text"] or not results else results
    for key, value in message.items():
        if value is not None and key not in ("role", "parts"):
            for each in shown:
                each.setdefault(key, value)
    return shown


def _fold(part: Any, folded: dict[str, list[Any]]) -> None:
    """Put one part where it belongs in a chat message; one that belongs nowhere goes to `parts`, whole."""
    if isinstance(part, str):
        folded["text"].append(part)
        return
    part_type = part.get("type") if isinstance(part, dict) else None
    known = _FOLDED_KEYS.get(part_type) if isinstance(part_type, str) else None
    if known is None or ("content" in known and not isinstance(part.get("content"), str)):
        folded["parts"].append(part)
        return
    if part_type == "text":
        folded["text"].append(part["content"])
    elif part_type in ("reasoning", "thinking"):
        if part["content"]:  # empty where the provider keeps its reasoning to itself
            folded["reasoning"].append(part["content"])
    elif part_type == "refusal":
        folded["refusal"].append(part["content"])
    elif part_type == "tool_call":
        folded["tool_calls"].append(_tool_call(part))
    else:
        folded["results"].append(_tool_result(part))
    if not part.keys() <= known and any(part[key] is not None for key in part.keys() - known):
        folded["parts"].append(part)


def _tool_call(part: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part in the form of OpenAI's chat API, where arguments are JSON text."""
    arguments = part.get("arguments")
    if arguments is None:
        arguments = ""
    elif not isinstance(arguments, str):
        arguments = render(arguments).decode()
    return {"id": part.get("id"), "type": "function", "function": {"name": part.get("name"), "arguments": arguments}}


def _tool_result(part: Mapping[str, Any]) -> Message:
    """Return the part as a message of OpenAI's chat API, with the name and the error that other APIs add."""
    result = part["response"] if "response" in part else part.get("result")
    beside = {key: part[key] for key in ("name", "is_error") if part.get(key) is not None}
    return {"role": "tool", "content": result, "tool_call_id": part.get("id"), **beside}


def _system_messages(text: str) -> list[Message]:
    """Return system instructions (a JSON list of parts, or plain text) as messages."""
    value = json_value(text)
    parts = value if isinstance(value, list) else [value if isinstance(value, dict) else text]
    return _as_chat(parts) or chat_messages({"role": "system", "parts": parts}, "system")


def _as_chat(value: Any) -> list[Message]:
    """Return instructions that were sent as whole messages; empty if they were not."""
    return [shown for message in _as_messages(value) or () for shown in chat_messages(message, "system")]


def _as_messages(value: Any) -> list[Mapping[str, Any]] | None:
    """Return the messages that `value` is: a list of them, a single one, or a list in ``{"messages": ...}``."""
    if isinstance(value, dict):
        value = value["messages"] if value.keys() == {"messages"} else [value]
    return value if isinstance(value, list) and value and all(map(_is_message, value)) else None


def _is_message(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    return isinstance(value.get("parts"), list) or ("role" in value and ("content" in value or "tool_calls" in value))
