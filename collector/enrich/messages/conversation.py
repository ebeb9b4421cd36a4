"""Whole conversations: lists of messages, and lists of items and parts that came without a message around them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from collector.enrich.messages import langchain, pydantic_ai
from collector.enrich.messages.dispatch import is_bare_part, part_list, understood
from collector.enrich.messages.envelopes import SYSTEM, closed, contents, without_parameters
from collector.enrich.messages.message import (
    Message,
    is_canonical_message,
    message_from,
    role_of,
    without_null_name,
)
from collector.enrich.messages.parts import MAX_ITEMS, Part, json_container, text

MAX_LEVELS = 8
"""Lists, objects and JSON texts around the messages that are looked into."""

_EVENT_ROLES = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
    "gen_ai.choice": "assistant",
}
_EVENT_KEYS = ("event.name", "gen_ai.message.index", "gen_ai.system")

_SPEAKERS = {
    "reasoning": "assistant",
    "tool_call": "assistant",
    "server_tool_call": "assistant",
    "server_tool_call_response": "assistant",
    "tool_call_response": "tool",
}
"""Roles by the type of a part that came without a message; others are spoken by the default role."""


@dataclass(slots=True)
class _Turn:
    """What one role says in a row: parts that came without a message, and at most one message."""

    role: str
    parts: list[Part]
    message: Message = field(default_factory=dict)

    def takes(self, other: _Turn) -> bool:
        """Say whether the next turn is the same one: an assistant's items belong to the message before or after them."""
        if self.role != other.role or (self.message and other.message):
            return False
        return self.role == "assistant" or not (self.message or other.message)


def conversation(value: Any, default_role: str, level: int = 0) -> list[Message] | None:
    """Return the canonical messages that `value` is or holds; None if it is nothing like messages."""
    if level > MAX_LEVELS:
        return None
    if isinstance(value, str):
        parsed = json_container(value)
        found = conversation(parsed, default_role, level + 1) if parsed is not None else None
        return found or ([{"role": default_role, "parts": text(value)}] if value else None)
    if isinstance(value, list):
        return _of_list(value, default_role, level)
    return _of_object(value, default_role, level) if isinstance(value, dict) else None


def _of_list(value: list[Any], default_role: str, level: int) -> list[Message] | None:
    if not value or len(value) > MAX_ITEMS:
        return None
    if all(map(is_canonical_message, value)):
        return [without_null_name(message) for message in value]
    turns: list[_Turn] = []
    recognised = False
    for item in value:
        found = _turns(item, default_role, level)
        recognised = recognised or bool(found)
        turns += found or [_Turn(default_role, part_list([item]))]
    return _messages(turns) if recognised else None


def _turns(item: Any, default_role: str, level: int) -> list[_Turn]:
    """Return what one item of a list says; nothing if it is nothing like a message or a part of one."""
    if isinstance(item, str):
        item = json_container(item)
    if isinstance(item, list) and len(item) == 2 and isinstance(item[0], str) and isinstance(item[1], str | list):
        role = role_of(item[0])  # LangChain's short form: ["human", "text"]
        if role is not None and (message := message_from({"role": role, "content": item[1]}, role)):
            return [_Turn(role, message["parts"], message)]
    if isinstance(item, dict) and _is_part(item) and (parts := understood(item)):
        return _spoken(parts, default_role)
    found = conversation(item, default_role, level + 1) if isinstance(item, list | dict) else None
    return [_Turn(message["role"], message["parts"], message) for message in found or ()]


def _is_part(item: Mapping[str, Any]) -> bool:
    kind = item.get("type")
    is_message = isinstance(item.get("role"), str) or (isinstance(kind, str) and kind in langchain.ROLES)
    return not is_message and is_bare_part(item)


def _spoken(parts: list[Part], default_role: str) -> list[_Turn]:
    """Return the parts under the roles that say such things."""
    return [_Turn(_SPEAKERS.get(part["type"], default_role), [part]) for part in parts]


def _messages(turns: list[_Turn]) -> list[Message]:
    """Join turns into messages, without touching what was sent."""
    joined: list[_Turn] = []
    for turn in turns:
        if joined and joined[-1].takes(turn):
            last = joined[-1]
            joined[-1] = _Turn(last.role, last.parts, last.message or turn.message)
            joined[-1].parts += turn.parts
        else:
            joined.append(_Turn(turn.role, list(turn.parts), turn.message))
    return [{**(turn.message or {"role": turn.role}), "parts": turn.parts} for turn in joined]


def _of_object(value: dict[str, Any], default_role: str, level: int) -> list[Message] | None:
    if pydantic_ai.is_message(value):
        return _each(pydantic_ai.by_role(value), default_role)
    dumped = langchain.unwrapped(value)
    if dumped and dumped[0] not in langchain.ROLES:
        return conversation({"type": dumped[0], **dumped[1]}, default_role, level + 1)
    event = value.get("event.name")
    if isinstance(event, str) and event in _EVENT_ROLES:
        default_role = _EVENT_ROLES[event]
        value = {key: inner for key, inner in value.items() if key not in _EVENT_KEYS}
    if value.get("type") == "message" and "usage" in value:
        value = {**without_parameters(value), "type": "message"}
    if message := message_from(value, default_role):
        return [message]
    if _is_part(value) and (parts := understood(value)):
        return _messages(_spoken(parts, default_role))
    return _of_envelope(langchain.generation(value) or value, default_role, level)


def _of_envelope(value: Mapping[str, Any], default_role: str, level: int) -> list[Message] | None:
    for held in contents(value, default_role):
        if messages := conversation(held.value, held.role, level + 1):
            system = _system_of(value, level) if held.is_input else []
            before: list[Message] = [{"role": "system", "parts": system}] if system else []
            return [*before, *closed(messages, held.beside)]
    return None


def _each(messages: list[dict[str, Any]], default_role: str) -> list[Message] | None:
    found = [message for each in messages if (message := message_from(each, default_role))]
    return found or None


def system_parts(value: Any, level: int = 0) -> list[Part] | None:
    """Return system instructions, or those of a request, as parts; None if `value` is nothing like them."""
    if level > MAX_LEVELS:
        return None
    if isinstance(value, str):
        parsed = json_container(value)
        return (system_parts(parsed, level + 1) if parsed is not None else None) or (text(value) if value else None)
    if isinstance(value, list) and value and all(isinstance(each, str) for each in value):
        return part_list(value)
    if isinstance(value, dict) and (parts := _system_of(value, level)):
        return parts
    messages = conversation(value, "system", level) or []
    if isinstance(value, dict):
        is_conversation = "role" not in value and "parts" not in value and not is_bare_part(value)
    else:
        is_conversation = len(messages) > 1 and any(isinstance(each, dict) and "role" in each for each in value)
    # A single content of Gemini's may say that the user speaks; in a conversation only the system gives instructions.
    spoken = [each for each in messages if not is_conversation or each["role"] in ("system", "developer")]
    return [part for message in spoken for part in message["parts"]] or None


def _system_of(request: Mapping[str, Any], level: int) -> list[Part]:
    """Return all system instructions of a request. Python's Gemini client and ADK have them in a `config`."""
    config = request.get("config")
    holders = (request, config if isinstance(config, dict) else {})
    sent = [holder[name] for holder in holders for name in SYSTEM if isinstance(holder.get(name), str | list | dict)]
    return [part for value in sent for part in system_parts(value, level + 1) or part_list(value or None)]
