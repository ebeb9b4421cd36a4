"""Whole conversations: lists of messages and items, and the requests and responses of the APIs that hold them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from collector.enrich.messages import langchain
from collector.enrich.messages.dispatch import part_list, understood
from collector.enrich.messages.message import (
    Message,
    is_canonical_message,
    message_from,
    pydantic_messages,
    with_rest,
)
from collector.enrich.messages.parts import MAX_ITEMS, Part, text
from collector.json_text import json_value

MAX_LEVELS = 8
"""Lists and objects around the messages that are looked into."""

_INPUTS = ("messages", "contents", "input", "prompt", "prompts", "inputs", "items")
_OUTPUTS = ("choices", "candidates", "generations", "output", "outputs", "message", "delta", "content", "response")
_SYSTEM = ("system", "systemInstruction", "system_instruction", "instructions")

_PARAMETERS = frozenset({
    "id", "object", "created", "created_at", "model", "type", "run", "usage", "metrics", "trace", "lc",
    "temperature", "top_p", "top_k", "topP", "topK", "max_tokens", "max_completion_tokens", "max_output_tokens", "maxTokens",
    "n", "stop", "stop_sequences", "stopSequences", "seed", "stream", "stream_options", "frequency_penalty", "presence_penalty",
    "logit_bias", "logprobs", "top_logprobs", "tools", "functions", "tool_choice", "toolChoice", "function_call",
    "parallel_tool_calls", "response_format", "reasoning_effort", "user", "store", "service_tier", "system_fingerprint",
    "invocation_params", "llm_output", "usage_metadata", "usageMetadata", "modelVersion", "model_version", "responseId",
    "response_id", "config", "generationConfig", "generation_config", "safetySettings", "inferenceConfig", "toolConfig",
    "modelId", "done", "done_reason", "total_duration", "load_duration", "prompt_eval_count", "prompt_eval_duration", "eval_count",
    "eval_duration", "index", *_SYSTEM,
})  # fmt: skip
"""What requests and responses say besides messages, and what has columns of its own (or is never content)."""


@dataclass(slots=True)
class _Unit:
    """A message, or parts that came without one and belong to a message of this role."""

    role: str
    parts: list[Part]
    message: Message | None = None


def conversation(value: Any, default_role: str, level: int = 0) -> list[Message] | None:
    """Return the canonical messages that `value` is or holds; None if it is nothing like messages."""
    if level > MAX_LEVELS:
        return None
    if isinstance(value, str):
        return _said(value, default_role, level)
    if isinstance(value, list):
        return _list(value, default_role, level)
    return _object(value, default_role, level) if isinstance(value, dict) else None


def _said(value: str, default_role: str, level: int) -> list[Message] | None:
    """Return the messages of a JSON text, or the text as one message."""
    if value.lstrip()[:1] in ("[", "{"):
        parsed = json_value(value)
        if not isinstance(parsed, str) and (found := conversation(parsed, default_role, level + 1)):
            return found
    return [{"role": default_role, "parts": text(value)}] if value else None


def _list(value: list[Any], default_role: str, level: int) -> list[Message] | None:
    if not value or len(value) > MAX_ITEMS:
        return None
    if all(map(is_canonical_message, value)) and all(message.get("name", "") is not None for message in value):
        return value
    units: list[_Unit] = []
    recognised = False
    for item in value:
        found = _units(item, default_role, level)
        recognised = recognised or bool(found)
        units += found or [_Unit(default_role, part_list([item]))]
    return _gathered(units) if recognised else None


def _units(item: Any, default_role: str, level: int) -> list[_Unit]:
    """Return what one item of a list stands for; nothing if it is nothing like a message or a part of one."""
    if isinstance(item, str):
        looks_like_json = item[:1] in ("{", "[")
        found = conversation(item, default_role, level + 1) if looks_like_json else None
        return [_Unit(m["role"], [], m) for m in found or ()] if found and found[0]["parts"] != text(item) else []
    if isinstance(item, list):
        if len(item) == 2 and all(isinstance(each, str) for each in item) and (pair := _pair(item)):
            return [pair]
        return [_Unit(m["role"], [], m) for m in conversation(item, default_role, level + 1) or ()]
    if not isinstance(item, dict):
        return []
    if _is_part(item) and (parts := understood(item)):
        return _by_role(parts, default_role)
    return [_Unit(m["role"], [], m) for m in _object(item, default_role, level + 1) or ()]


def _is_part(item: Mapping[str, Any]) -> bool:
    """Say whether to take this object for a part that came without a message, and not for a message."""
    if isinstance(item.get("role"), str) or "part_kind" in item:
        return False
    if isinstance(item.get("type"), str):
        return item["type"] not in langchain.ROLES
    # Told apart by its one key: an object with a text and much else is somebody's record.
    return len(item) <= 3 or "text" not in item or all(v is None for k, v in item.items() if k not in _TEXT_KEYS)


_TEXT_KEYS = ("text", "thought", "thought_signature", "thoughtSignature")


def _by_role(parts: list[Part], default_role: str) -> list[_Unit]:
    """Return the parts under the roles that say such things."""
    return [_Unit(_ROLES_OF_PARTS.get(part["type"], default_role), [part]) for part in parts]


_ROLES_OF_PARTS = {
    "reasoning": "assistant",
    "tool_call": "assistant",
    "server_tool_call": "assistant",
    "server_tool_call_response": "assistant",
    "tool_call_response": "tool",
}


def _pair(item: list[str]) -> _Unit | None:
    """LangChain's short form of a message: ``["human", "text"]``."""
    message = message_from({"role": item[0], "content": item[1]}, "")
    known = item[0] in langchain.ROLES or item[0] in ("user", "assistant")
    return _Unit(message["role"], [], message) if message and known else None


def _gathered(units: list[_Unit]) -> list[Message]:
    """Join parts that came without a message: to each other, and to the assistant's message before or after them."""
    groups: list[list[_Unit]] = []
    for unit in units:
        last = groups[-1] if groups else None
        if last and last[0].role == unit.role:
            has_message = any(each.message is not None for each in last)
            if unit.message is None and (unit.role == "assistant" or not has_message):
                last.append(unit)
                continue
            if unit.message is not None and unit.role == "assistant" and not has_message:
                last.append(unit)
                continue
        groups.append([unit])
    return [_joined(group) for group in groups]


def _joined(group: list[_Unit]) -> Message:
    spoken = next((unit.message for unit in group if unit.message is not None), {"role": group[0].role, "parts": []})
    if len(group) == 1 and group[0].message is not None:
        return spoken
    parts = [part for unit in group for part in (unit.message["parts"] if unit.message else unit.parts)]
    return {**spoken, "parts": parts}


def _object(value: Mapping[str, Any], default_role: str, level: int) -> list[Message] | None:
    if level > MAX_LEVELS:
        return None
    if value.get("kind") in ("request", "response") and isinstance(value.get("parts"), list):
        return pydantic_messages(value)
    unwrapped = langchain.unwrapped(value)
    if unwrapped and unwrapped[0] not in langchain.ROLES:
        return _object(unwrapped[1], default_role, level + 1)
    role = _event_role(value)
    if role is not None:
        value = {key: inner for key, inner in value.items() if key not in _EVENT_KEYS}
    if message := message_from(value, role or default_role):
        return [message]
    if _is_part(value) and (parts := understood(value)):
        return _gathered(_by_role(parts, default_role))
    return _wrapped(value, default_role, level)


_EVENT_KEYS = ("event.name", "gen_ai.message.index", "gen_ai.system")
_EVENT_ROLES = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
    "gen_ai.choice": "assistant",
}


def _event_role(value: Mapping[str, Any]) -> str | None:
    """Return the role that the name of an event of the older semantic conventions says."""
    name = value.get("event.name")
    return _EVENT_ROLES.get(name) if isinstance(name, str) else None


def _wrapped(value: Mapping[str, Any], default_role: str, level: int) -> list[Message] | None:
    """Return the messages of the first field that holds some, and the system instructions before an input."""
    for name in (*_INPUTS, *_OUTPUTS):
        held = value.get(name)
        if held is None:
            continue
        rest = {key: inner for key, inner in value.items() if key != name and key not in _PARAMETERS}
        messages = _held(name, held, rest, "assistant" if name in _OUTPUTS else default_role, level)
        if messages:
            messages = _finished(messages, rest)
            system = system_of(value) if name in _INPUTS else None
            return [{"role": "system", "parts": system}, *messages] if system else messages
    return None


def _held(name: str, held: Any, rest: Mapping[str, Any], role: str, level: int) -> list[Message] | None:
    if isinstance(held, str) and any(isinstance(inner, str | list | dict) and inner for inner in rest.values()):
        return None  # a text among others is a record, not a message
    if isinstance(held, list) and name in _INPUTS and held and all(isinstance(each, str) for each in held):
        return [{"role": role, "parts": text(each)} for each in held[:MAX_ITEMS]]
    return conversation(held, role, level + 1)


def _finished(messages: list[Message], rest: dict[str, Any]) -> list[Message]:
    """Keep what stands beside the messages on the last of them."""
    last = messages[-1]
    for name in ("finish_reason", "finishReason", "stop_reason", "stopReason", "done_reason"):
        reason = rest.get(name)
        if isinstance(reason, str) and "finish_reason" not in last:
            last = {**last, "finish_reason": reason}
            del rest[name]
    return [*messages[:-1], with_rest(last, rest)]


def system_of(value: Mapping[str, Any]) -> list[Part] | None:
    """Return the system instructions of a request."""
    config = value.get("config")
    for holder in (value, config if isinstance(config, dict) else {}):
        for name in _SYSTEM:
            if holder.get(name) is not None and (parts := system_parts(holder[name])):
                return parts
    return None


def system_parts(value: Any) -> list[Part] | None:
    """Return system instructions as parts; None if `value` is nothing like them."""
    if isinstance(value, str):
        if value.lstrip()[:1] in ("[", "{") and not isinstance(parsed := json_value(value), str):
            return system_parts(parsed) or text(value)
        return text(value) or None if value else None
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return part_list(value)
    if isinstance(value, dict) and (parts := system_of(value)):
        return parts
    if isinstance(value, dict) and isinstance(value.get("parts"), list) and "role" not in value:
        return part_list(value["parts"])
    messages = conversation(value, "system") if isinstance(value, dict | list) else None
    return [part for message in messages for part in message["parts"]] if messages else None
