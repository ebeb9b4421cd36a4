"""The parts that a canonical message is made of, and the ways into them that all families share.

A converter takes the fields of one foreign part (a copy, without its nulls), pops what it understands and returns the
canonical parts it found, or none if it understood nothing. What it leaves behind is kept on the first part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from collector.json_text import json_value

Part = dict[str, Any]
Fields = dict[str, Any]
Converter = Callable[[Fields], list[Part]]

MAX_ITEMS = 10_000
"""Messages of a conversation, and parts of a message, that are looked at; a longer list is kept as it came."""

_TEXT_TYPES = (None, "text", "input_text", "output_text")

# Fields that always say the same, by what they say then.
_USUAL: dict[str, tuple[Any, ...]] = {
    "status": ("completed", "success"),
    "state": ("complete", "done"),
    "outcome": ("success",),
    "object": ("chat.completion", "response", "text_completion", "thread.message"),
    "example": (False,),
    "is_error": (False,),
    "partial": (False,),
}


def text(content: Any, part_type: str = "text") -> list[Part]:
    """Return a part with this text; none if it is no string."""
    return [{"type": part_type, "content": content}] if isinstance(content, str) else []


def reasoning(content: Any) -> list[Part]:
    """Return a reasoning part with this text; none if it is no string."""
    return text(content, "reasoning")


def json_part(value: Any) -> Part:
    """Return a part for a value that does not say what it is."""
    return {"type": "json", "content": value}


def tool_call(call_id: Any, name: Any, arguments: Any) -> list[Part]:
    """Return a `tool_call` part, none without a name. Arguments that are JSON text of an object become that object."""
    if not isinstance(name, str):
        return []
    part: Part = {"type": "tool_call", "id": call_id, "name": name, "arguments": json_object(arguments)}
    return [{key: value for key, value in part.items() if value is not None}]


def tool_call_response(call_id: Any, response: Any) -> list[Part]:
    """Return a `tool_call_response` part. A list that holds one plain text and nothing else becomes that text."""
    part: Part = {"type": "tool_call_response"}
    if call_id is not None:
        part["id"] = call_id
    part["response"] = _single_text(response)
    return [part]


def server_tool_call(call_id: Any, name: Any, details: Mapping[str, Any]) -> list[Part]:
    """Return a call of a tool that the provider runs itself; none without a name."""
    if not isinstance(name, str):
        return []
    part: Part = {"type": "server_tool_call", "id": call_id, "name": name, "server_tool_call": dict(details)}
    return [{key: value for key, value in part.items() if value is not None}]


def server_tool_call_response(call_id: Any, details: Mapping[str, Any]) -> list[Part]:
    """Return what a tool that the provider runs itself has found."""
    part: Part = {"type": "server_tool_call_response", "id": call_id, "server_tool_call_response": dict(details)}
    return [{key: value for key, value in part.items() if value is not None}]


def json_object(value: Any) -> Any:
    """Return the object that the JSON text `value` is; any other value as it is."""
    if isinstance(value, str) and value.lstrip()[:1] == "{":
        parsed = json_value(value)
        return parsed if isinstance(parsed, dict) else value
    return value


def json_container(value: str) -> list[Any] | dict[str, Any] | None:
    """Return the list or object that the JSON text `value` is; None if it is neither."""
    parsed = json_value(value) if value.lstrip()[:1] in ("[", "{") else None
    return parsed if isinstance(parsed, list | dict) else None


def first(fields: Fields, *names: str) -> Any:
    """Pop the first of these fields that is there; None if none is."""
    for name in names:
        if name in fields:
            return fields.pop(name)
    return None


def all_of(fields: Fields) -> Fields:
    """Pop everything."""
    taken = dict(fields)
    fields.clear()
    return taken


def convert(source: Mapping[str, Any], converter: Converter, without: str = "") -> list[Part]:
    """Return what `converter` makes of `source`, with the fields it left behind; empty if it understood nothing.

    The field `without`, which only says what kind of part this is, is neither given to it nor kept.
    """
    fields = {key: value for key, value in source.items() if value is not None and key != without}
    parts = converter(fields)
    rest = said(fields) if parts and fields else {}
    if not rest:
        return parts
    if not rest.keys().isdisjoint(parts[0]):
        return []  # one name with two meanings: such a part is better kept as it came
    return [{**parts[0], **rest}, *parts[1:]]


def inside(key: str, converter: Converter) -> Converter:
    """Return a converter for parts that are an object under this one key."""

    def convert_inside(fields: Fields) -> list[Part]:
        inner = fields.pop(key)
        return convert(inner, converter) if isinstance(inner, dict) else []

    return convert_inside


def said(fields: Mapping[str, Any]) -> Fields:
    """Return the fields that say something: nothing null or empty, no position, nothing that always says the same."""
    return {key: value for key, value in fields.items() if value is not None and not _says_nothing(key, value)}


def _says_nothing(key: str, value: Any) -> bool:
    if isinstance(value, str | list | dict) and not value:
        return True
    if key == "index":
        return isinstance(value, int)
    return key in _USUAL and isinstance(value, str | bool) and value in _USUAL[key]


def _single_text(response: Any) -> Any:
    if isinstance(response, list) and len(response) == 1 and isinstance(response[0], dict):
        only = said(response[0])
        if only.keys() <= {"type", "text"} and only.get("type") in _TEXT_TYPES and isinstance(only.get("text"), str):
            return only["text"]
    return response
