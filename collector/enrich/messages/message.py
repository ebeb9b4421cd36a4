"""One message of any family to a canonical message: ``{"role", "parts", "name"?, "finish_reason"?}``, and what else it says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.enrich.messages import langchain
from collector.enrich.messages.asides import attachments, calls, reasoning_beside, say_once
from collector.enrich.messages.dispatch import is_canonical, part_list, understood
from collector.enrich.messages.parts import Fields, Part, first, said, text, tool_call_response

Message = dict[str, Any]

FINISH_REASONS = ("finish_reason", "finishReason", "stop_reason", "stopReason", "done_reason")
"""What the families call the reason why the model stopped."""

_ROLES = {
    **{name: role for name, role in langchain.ROLES.items() if role and name.islower()},
    "model": "assistant",
    "chatbot": "assistant",
    "user": "user",
    "assistant": "assistant",
}
"""Roles by the names that the families have for them; any other name is kept."""

_SPEECH = (
    "content",
    "parts",
    "tool_calls",
    "function_call",
    "refusal",
    "blocks",
    "toolInvocations",
    "reasoning_content",
)
"""Fields of which a message has at least one."""

_BODY = frozenset({"content", "parts", "tool_calls", "id", "name", "finish_reason", "refusal", "index"})
"""All that a message without a role may have: the body of an event of older semantic conventions, or Gemini's content."""

_CALL_IDS = ("tool_call_id", "toolCallId", "tool_use_id", "call_id", "id")
_NOT_CANONICAL = frozenset(
    {"content", "tool_calls", "function_call", "refusal", "blocks", "toolInvocations", "type", "kind"}
)


def is_canonical_message(value: Any) -> bool:
    """Say whether `value` is a message as the semantic conventions define it; a null name is none."""
    if not isinstance(value, dict):
        return False
    role, parts = value.get("role"), value.get("parts")
    if not isinstance(role, str) or not isinstance(parts, list) or _ROLES.get(role, role or None) != role:
        return False
    return _NOT_CANONICAL.isdisjoint(value) and all(map(is_canonical, parts))


def without_null_name(message: Message) -> Message:
    """Return the message without a name that is null, which some emitters write."""
    return message if message.get("name", "") is not None else {k: v for k, v in message.items() if k != "name"}


def message_from(value: dict[str, Any], default_role: str) -> Message | None:
    """Return the canonical message that `value` is; None if it is nothing like a message."""
    if is_canonical_message(value):
        return without_null_name(value)
    dumped = langchain.unwrapped(value)
    kind, body = dumped or (value.get("type"), value)
    role = _role(body, kind, default_role)
    if role is None or all(name not in body for name in _SPEECH):
        return None
    content = body.get("content")
    if body.keys() == {"role", "content"} and isinstance(content, str) and role != "tool":
        return {"role": role, "parts": text(content) if content else []}
    fields = {key: inner for key, inner in body.items() if inner is not None and key != "role"}
    if isinstance(fields.get("type"), str) and (fields["type"] == "message" or fields["type"] in langchain.ROLES):
        del fields["type"]
    return _assembled(role, _parts(fields, role), fields)


def role_of(name: str) -> str | None:
    """Return the canonical name of a role; None if no family has this name for one."""
    return _ROLES.get(name.lower())


def with_rest(message: Message, rest: Mapping[str, Any]) -> Message:
    """Return the message with what was said beside it; what has the name of a message's own fields goes to `envelope`."""
    fields = said(rest)
    if not fields:
        return message
    clashing = {key: fields.pop(key) for key in list(fields) if key in message or key in _NOT_CANONICAL}
    return {**message, **fields, **({"envelope": clashing} if clashing else {})}


def _assembled(role: str, parts: list[Part], fields: Fields) -> Message:
    message: Message = {"role": role, "parts": parts}
    for key, names in (("name", ("name",)), ("finish_reason", FINISH_REASONS)):
        found = next((name for name in names if isinstance(fields.get(name), str) and fields[name]), None)
        if found:
            message[key] = fields.pop(found)
    return with_rest(message, fields)


def _role(body: Mapping[str, Any], kind: Any, default_role: str) -> str | None:
    """Return whose words they are; None if `body` is no message."""
    role = body.get("role")
    if isinstance(role, str) and role:
        return role_of(role) or role
    if role is not None and role != "":
        return None
    if isinstance(kind, str) and kind in langchain.ROLES:
        return langchain.ROLES[kind] or default_role
    if kind == "message":
        return default_role
    is_body = body.keys() <= _BODY and isinstance(body.get("content", ""), str | list)
    is_record = "id" in body and default_role != "tool" and "tool_calls" not in body
    return default_role if is_body and not is_record else None


def _parts(fields: Fields, role: str) -> list[Part]:
    """Pop what is said in a message, in the order in which people read it: reasoning, words, media, calls."""
    _hoist(fields)
    parts: list[Part] = []
    for name in ("parts", "blocks"):
        parts += part_list(fields.pop(name, None))
    content = fields.pop("content", None)
    if isinstance(content, str) and parts:
        # Messages of user interfaces have their text twice.
        words = [part["content"] for part in parts if part.get("type") == "text"]
        parts[:0] = text(content) if content and content not in (*words, "".join(words), "\n".join(words)) else []
    elif role == "tool" and content is not None and not _holds_responses(content):
        parts += tool_call_response(first(fields, *_CALL_IDS), content)
    else:
        parts += part_list(content)
    parts = say_once(reasoning_beside(fields), parts)
    parts = say_once(parts, text(first(fields, "refusal"), "refusal"))
    parts += attachments(fields)
    return say_once(parts, calls(fields))


def _hoist(fields: Fields) -> None:
    """Lift what some (Mastra) put into an object that has the parts, in place of the content."""
    content = fields.get("content")
    if isinstance(content, dict) and isinstance(content.get("parts"), list):
        inner = {key: value for key, value in content.items() if value is not None and key != "role"}
        if inner.keys().isdisjoint(fields.keys() - {"content"}):
            del fields["content"]
            fields.update(inner)


def _holds_responses(content: Any) -> bool:
    """Say whether a tool's message holds responses that say themselves which calls they answer."""
    return isinstance(content, list) and any(
        part["type"] == "tool_call_response" for item in content[:100] for part in understood(item)
    )
