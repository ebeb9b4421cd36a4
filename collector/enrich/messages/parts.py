"""The parts that a canonical message is made of, and the ways into them that all families share.

A converter takes the fields of one foreign part (a copy without its nulls), pops what it understands and returns the
canonical parts it found; none if it understood nothing. What it leaves behind is kept on the first part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from collector.json_text import json_value

Part = dict[str, Any]
Fields = dict[str, Any]
Converter = Callable[[Fields], list[Part]]

MAX_ITEMS = 10_000
"""Messages of a conversation, and parts of a message, that are looked at; longer lists are kept as they came."""

# What a part or a message says about its own transport, where it says the usual.
_NOISE: dict[str, tuple[Any, ...]] = {
    "status": ("completed", "success"),
    "example": (False,),
    "is_error": (False,),
    "isError": (False,),
    "partial": (False,),
    "object": ("chat.completion", "response", "text_completion", "thread.message"),
}

_TEXTS = (None, "text", "input_text", "output_text")


def text(content: Any, part_type: str = "text") -> list[Part]:
    """Return a part with this text; none if it is no string."""
    return [{"type": part_type, "content": content}] if isinstance(content, str) else []


def reasoning(content: Any) -> list[Part]:
    """Return a reasoning part with this text; none if it is no string."""
    return text(content, "reasoning")


def json_part(value: Any) -> Part:
    """Return a part for a value that has no type of its own."""
    return {"type": "json", "content": value}


def tool_call(call_id: Any, name: Any, arguments: Any) -> list[Part]:
    """Return a `tool_call` part. Arguments in JSON text that is an object become that object."""
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


def server_tool(direction: str, call_id: Any, name: Any, details: Mapping[str, Any]) -> list[Part]:
    """Return a tool call, or the response to one, that the provider ran itself; `direction` is the type of the part."""
    part: Part = {"type": direction, "id": call_id, "name": name, direction: dict(details)}
    return [{key: value for key, value in part.items() if value is not None}]


def json_object(value: Any) -> Any:
    """Return the object that the JSON text `value` is; any other value as it is."""
    if isinstance(value, str) and value.lstrip()[:1] == "{":
        parsed = json_value(value)
        return parsed if isinstance(parsed, dict) else value
    return value


def from_url(url: Any, modality: str, mime_type: Any = None) -> list[Part]:
    """Return a `uri` part, or the `blob` part that a ``data:`` URL holds."""
    if not isinstance(url, str) or not url:
        return []
    if url[:5].lower() == "data:":
        header, comma, content = url[5:].partition(",")
        kind, *parameters = header.split(";")
        if comma and "base64" in parameters:
            return from_data(content, modality, kind or mime_type)
    return [_media("uri", modality, mime_type, "uri", url)]


def from_data(data: Any, modality: str, mime_type: Any = None) -> list[Part]:
    """Return a `blob` part for base64 text; none for any other value."""
    return [_media("blob", modality, mime_type, "content", data)] if isinstance(data, str) and data else []


def from_file_id(file_id: Any, modality: str, mime_type: Any = None) -> list[Part]:
    """Return a `file` part for a file that the provider keeps; none if there is no id."""
    return [_media("file", modality, mime_type, "file_id", file_id)] if isinstance(file_id, str) and file_id else []


def modality_of(mime_type: Any) -> str:
    """Return the modality of a media type; what is no image, audio or video is a document."""
    kind = mime_type.partition("/")[0].lower() if isinstance(mime_type, str) else ""
    return kind if kind in ("image", "audio", "video") else "document"


def first(fields: Fields, *names: str) -> Any:
    """Pop the first of these fields that is there; None if none is."""
    for name in names:
        if name in fields:
            return fields.pop(name)
    return None


def convert(source: Mapping[str, Any], converter: Converter, *, drop: tuple[str, ...] = ()) -> list[Part]:
    """Return what `converter` makes of `source`, with the fields it left behind; empty if it understood nothing.

    `drop` names the fields that only say what kind of part this is.
    """
    fields = {key: value for key, value in source.items() if value is not None and key not in drop}
    parts = converter(fields)
    rest = without_noise(fields)
    if parts and rest:
        if not rest.keys().isdisjoint(parts[0]):
            return []  # two meanings for one name: the part is better kept as it came
        parts = [{**parts[0], **rest}, *parts[1:]]
    return parts


def inside(key: str, converter: Converter) -> Converter:
    """Return a converter for parts that are an object under this one key."""

    def convert_inside(fields: Fields) -> list[Part]:
        inner = fields.pop(key)
        return convert(inner, converter) if isinstance(inner, dict) else []

    return convert_inside


def without_noise(fields: Mapping[str, Any]) -> Fields:
    """Return the fields that say something: nothing null or empty, and nothing that says the usual."""
    return {
        key: value
        for key, value in fields.items()
        if value is not None and value not in ("", [], {}) and not _is_noise(key, value)
    }


def _is_noise(key: str, value: Any) -> bool:
    return key in _NOISE and isinstance(value, str | bool) and value in _NOISE[key]


def _media(part_type: str, modality: str, mime_type: Any, key: str, value: str) -> Part:
    part: Part = {"type": part_type, "modality": modality, key: value}
    if isinstance(mime_type, str) and mime_type:
        part["mime_type"] = mime_type
    return part


def _single_text(response: Any) -> Any:
    if isinstance(response, list) and len(response) == 1 and isinstance(response[0], dict):
        only = {key: value for key, value in response[0].items() if value is not None}
        if only.keys() <= {"type", "text"} and only.get("type") in _TEXTS and isinstance(only.get("text"), str):
            return only["text"]
    return response
