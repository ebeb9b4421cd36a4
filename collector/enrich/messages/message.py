"""One message of any family to a canonical message: ``{"role", "parts", "name"?, "finish_reason"?}``, and what else it says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from collector.enrich.messages import langchain, pydantic_ai
from collector.enrich.messages.dispatch import is_canonical, part_list, understood
from collector.enrich.messages.openai import call_of_chat, function_call
from collector.enrich.messages.parts import (
    Fields,
    Part,
    convert,
    first,
    json_part,
    reasoning,
    text,
    tool_call_response,
    without_noise,
)
from collector.json_text import render

Message = dict[str, Any]

_ROLES = {
    **{name: role for name, role in langchain.ROLES.items() if role and name.islower()},
    "model": "assistant",
    "chatbot": "assistant",
    "user": "user",
    "assistant": "assistant",
}
"""Roles by the names that other families have for them; any other name is kept."""

_SPEECH = ("content", "parts", "tool_calls", "function_call", "refusal", "blocks", "toolInvocations")
_BODY = frozenset({"content", "tool_calls", "id", "name", "finish_reason", "refusal", "index"})
"""All that a message may have whose role is known from elsewhere: the bodies of the older semantic conventions' events."""


def is_canonical_message(value: Any) -> bool:
    """Say whether `value` is a message as the semantic conventions define it."""
    if not isinstance(value, dict):
        return False
    role, parts = value.get("role"), value.get("parts")
    if not isinstance(role, str) or not role or not isinstance(parts, list):
        return False
    return _ROLES.get(role, role) == role and all(map(is_canonical, parts)) and _SPEECH_BESIDE_PARTS.isdisjoint(value)


_SPEECH_BESIDE_PARTS = frozenset(_SPEECH) - {"parts"} | {"type", "kind"}


def message_from(value: Mapping[str, Any], default_role: str) -> Message | None:
    """Return the canonical message that `value` is; None if it is nothing like a message."""
    if is_canonical_message(value):
        return value if value.get("name", "") is not None else {k: v for k, v in value.items() if k != "name"}  # type: ignore[return-value]
    wrapped = langchain.unwrapped(value)
    kind = wrapped[0] if wrapped else value.get("type")
    body = wrapped[1] if wrapped else value
    role = _role(body, kind, default_role)
    if role is None or all(name not in body for name in _SPEECH):
        return None
    fields = {key: inner for key, inner in body.items() if inner is not None and key != "role"}
    if fields.get("type") == kind or fields.get("type") in ("message", *langchain.ROLES):
        fields.pop("type", None)
    parts = _parts(fields, role)
    message: Message = {"role": role, "parts": parts}
    for key, names in (("name", ("name",)), ("finish_reason", _FINISH_REASONS)):
        found = next((name for name in names if isinstance(fields.get(name), str) and fields[name]), None)
        if found:
            message[key] = fields.pop(found)
    return with_rest(message, fields)


_FINISH_REASONS = ("finish_reason", "finishReason", "stop_reason", "stopReason")


def with_rest(message: Message, rest: Mapping[str, Any]) -> Message:
    """Return the message with what was said beside it; a name that the message has itself goes under `envelope`."""
    said = without_noise(rest)
    if not said:
        return message
    clashing = {key: value for key, value in said.items() if key in message}
    free = {key: value for key, value in said.items() if key not in message}
    return {**message, **free, **({"envelope": clashing} if clashing else {})}


def _role(body: Mapping[str, Any], kind: Any, default_role: str) -> str | None:
    """Return whose words they are; None if `body` is no message."""
    role = body.get("role")
    if isinstance(role, str) and role:
        return _ROLES.get(role.lower(), role)
    if role is not None and role != "":
        return None
    if isinstance(kind, str) and kind in langchain.ROLES:
        return langchain.ROLES[kind] or default_role
    if kind == "message" or (kind is None and body.keys() <= _BODY and ("content" in body or "tool_calls" in body)):
        return default_role
    return None


def _parts(fields: Fields, role: str) -> list[Part]:
    """Pop what is said in a message, in the order in which people read it: reasoning, words, calls."""
    parts: list[Part] = []
    for name in ("parts", "blocks"):
        if isinstance(fields.get(name), list):
            parts += part_list(fields.pop(name))
    content = fields.pop("content", None)
    if role == "tool" and content is not None and not _holds_responses(content):
        call_id = first(fields, "tool_call_id", "toolCallId", "id")
        parts += tool_call_response(call_id, content)
    elif isinstance(content, str) and parts:
        if content != "".join(part["content"] for part in parts if part.get("type") == "text"):
            parts[:0] = text(content) if content else []
    else:
        parts += _content(content)
    _say_once(parts, _reasoning(fields), front=True)
    _say_once(parts, text(first(fields, "refusal"), "refusal"))
    _say_once(parts, _calls(fields))
    return parts


def _content(content: Any) -> list[Part]:
    # Gemini's response and ADK's have a whole message, with its parts, for content.
    if isinstance(content, dict) and isinstance(content.get("parts"), list):
        return part_list(content["parts"])
    return part_list(content)


def _holds_responses(content: Any) -> bool:
    """Say whether a tool's message holds responses that name their calls themselves."""
    return isinstance(content, list) and any(
        part.get("type") == "tool_call_response" for item in content[:100] for part in understood(item)
    )


def _reasoning(fields: Fields) -> list[Part]:
    """Pop reasoning that stands beside the content: DeepSeek, LiteLLM, OpenRouter, Ollama."""
    extra = fields.get("additional_kwargs")
    parts: list[Part] = (
        part_list(fields.pop("thinking_blocks")) if isinstance(fields.get("thinking_blocks"), list) else []
    )
    for holder in (fields, extra if isinstance(extra, dict) else {}):
        for name in ("reasoning_content", "reasoning", "thinking"):
            if isinstance(holder.get(name), str) and holder[name]:
                _say_once(parts, reasoning(holder[name]))
                _without(fields, holder, name)
    return parts


def _calls(fields: Fields) -> list[Part]:
    """Pop the tool calls that stand beside the content, wherever a family puts them."""
    parts: list[Part] = []
    extra = fields.get("additional_kwargs")
    for holder in (fields, extra if isinstance(extra, dict) else {}):
        for name in ("tool_calls", "invalid_tool_calls", "toolInvocations"):
            entries = holder.get(name)
            if isinstance(entries, list):
                _say_once(parts, [part for entry in entries for part in _call(entry)])
                _without(fields, holder, name)
        legacy = holder.get("function_call")
        if isinstance(legacy, dict) and (found := convert(legacy, function_call)):
            _say_once(parts, found)
            _without(fields, holder, "function_call")
    return parts


def _call(entry: Any) -> list[Part]:
    if not isinstance(entry, dict):
        return [json_part(entry)]
    if "state" in entry:
        return understood({"type": "tool-invocation", "toolInvocation": entry}) or [json_part(entry)]
    drop = (
        ("type",)
        if entry.get("type") in ("function", "tool_call", "custom", "invalid_tool_call", "tool_call_chunk")
        else ()
    )
    return convert(entry, call_of_chat, drop=drop) or [json_part(entry)]


def _without(fields: Fields, holder: Mapping[str, Any], name: str) -> None:
    """Forget a field, without touching what was sent."""
    if holder is fields:
        del fields[name]
    else:
        fields["additional_kwargs"] = {k: v for k, v in fields["additional_kwargs"].items() if k != name}


def _say_once(parts: list[Part], again: Iterable[Part], *, front: bool = False) -> None:
    """Add parts that a message may say in a second place: not those that are there already."""
    known = {_identity(part): index for index, part in enumerate(parts)}
    added: list[Part] = []
    for part in again:
        index = known.get(_identity(part))
        if index is None:
            added.append(part)
        elif not _covers(parts[index], part):
            if _covers(part, parts[index]):
                parts[index] = part
            else:
                added.append(part)
    parts[:0] = added if front else []
    parts += [] if front else added


def _identity(part: Part) -> tuple[str, bytes]:
    mark = next((part[key] for key in ("id", "content") if isinstance(part.get(key), str)), part)
    return str(part.get("type")), render(mark)


def _covers(part: Part, other: Part) -> bool:
    """Say whether `part` says all that `other` says."""
    try:
        return all(value in (None, "", {}) or part.get(key) == value for key, value in other.items())
    except RecursionError:
        return False


def pydantic_messages(value: Mapping[str, Any]) -> list[Message]:
    """Return the messages that one of Pydantic AI's is: its parts are those of several roles."""
    messages: list[Message] = []
    instructions = value.get("instructions")
    if isinstance(instructions, str) and instructions:
        messages.append({"role": "system", "parts": text(instructions)})
    for part in value["parts"]:
        kind = part.get("part_kind") if isinstance(part, dict) else None
        role = pydantic_ai.ROLES.get(kind, "assistant") if isinstance(kind, str) else "assistant"
        if kind == "retry-prompt" and part.get("tool_name"):
            role = "tool"
        content = part.get("content") if isinstance(part, dict) else None
        found = (
            part_list(content)
            if kind in ("user-prompt", "file") and not isinstance(content, str)
            else part_list([part])
        )
        if messages and messages[-1]["role"] == role:
            messages[-1]["parts"] += found
        else:
            messages.append({"role": role, "parts": found})
    rest = {key: inner for key, inner in value.items() if key not in ("parts", "kind", "instructions")}
    if messages and (said := without_noise(rest)):
        name = said.pop("finish_reason", None)
        messages[-1] = with_rest(messages[-1] | ({"finish_reason": name} if isinstance(name, str) else {}), said)
    return messages
