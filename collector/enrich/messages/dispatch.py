"""One part of any family to canonical parts: by its `type`, else by the one key that says what it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.enrich.messages import ai_sdk, anthropic, bedrock, gemini, langchain, media, openai, pydantic_ai
from collector.enrich.messages.parts import (
    MAX_ITEMS,
    Converter,
    Fields,
    Part,
    convert,
    first,
    json_part,
    text,
    tool_call_response,
)


def _tool_call(fields: Fields) -> list[Part]:
    """A call of the canonical type that is not in canonical form: LangChain's, or OpenAI's."""
    return openai.call_of_chat(fields)


def _tool_call_response(fields: Fields) -> list[Part]:
    """Older emitters of the canonical form say `result`."""
    return tool_call_response(fields.pop("id", None), first(fields, "response", "result"))


_BY_TYPE: dict[str, Converter] = {
    **media.PARTS,
    **openai.PARTS,
    **anthropic.PARTS,
    **ai_sdk.PARTS,
    **langchain.PARTS,
    "tool_call": _tool_call,
    "tool_call_response": _tool_call_response,
    "server_tool_call": langchain.server_call,
}
_BY_KEY: dict[str, Converter] = {**bedrock.KEYS, **gemini.KEYS}

# The field that makes a part of this type canonical, and what it has to be.
_CANONICAL: dict[str, tuple[str, type]] = {
    "text": ("content", str),
    "reasoning": ("content", str),
    "refusal": ("content", str),
    "tool_call": ("name", str),
    "tool_call_response": ("response", object),
    "server_tool_call": ("server_tool_call", object),
    "server_tool_call_response": ("server_tool_call_response", object),
    "blob": ("content", object),
    "uri": ("uri", str),
    "file": ("file_id", str),
    "compaction": ("type", str),
    "json": ("content", object),
}
_NOT_CANONICAL = {"tool_call": ("args", "function"), "text": ("text",), "reasoning": ("summary", "text")}


def is_canonical(part: Any) -> bool:
    """Say whether the semantic conventions define this part; one of an unknown type is as good."""
    if not isinstance(part, dict) or not isinstance(part.get("type"), str):
        return False
    kind = part["type"]
    if kind in _CANONICAL:
        name, expected = _CANONICAL[kind]
        return (
            isinstance(part.get(name), expected)
            and name in part
            and not any(key in part for key in _NOT_CANONICAL.get(kind, ()))
        )
    return _converter(part) is None


def understood(value: Any) -> list[Part]:
    """Return the canonical parts that `value` is; empty if it is nothing like a part."""
    if not isinstance(value, dict):
        return []
    kind = value.get("type")
    if isinstance(kind, str) and kind in _CANONICAL and is_canonical(value):
        return [value]
    converter = _converter(value)
    return convert(value, converter[0], drop=converter[1]) if converter else []


def part_list(value: Any) -> list[Part]:
    """Return the parts that the content of a message is, whatever it is: nothing is lost."""
    if value is None or value == "":
        return []
    if not isinstance(value, list):
        return _any_part(value)
    if len(value) > MAX_ITEMS:
        return [json_part(value)]
    return [part for item in value for part in _any_part(item)]


def _any_part(value: Any) -> list[Part]:
    if isinstance(value, str):
        return text(value)
    found = understood(value)
    if found:
        return found
    return [value] if isinstance(value, dict) and isinstance(value.get("type"), str) else [json_part(value)]


def _converter(part: Mapping[str, Any]) -> tuple[Converter, tuple[str, ...]] | None:
    """Return what converts this part, and the fields that only say what kind of part it is."""
    kind = part.get("type")
    if isinstance(kind, str):
        if kind in _BY_TYPE:
            return _BY_TYPE[kind], ("type",)
        if kind.endswith(anthropic.SERVER_RESULT):
            return anthropic.server_tool_result, ()
        if kind.startswith(ai_sdk.UI_TOOL) and "toolCallId" in part:
            return ai_sdk.ui_tool, ()
    for name, table in (("part_kind", pydantic_ai.PARTS), ("kind", media.PARTS), ("block_type", _BY_TYPE)):
        kind = part.get(name)
        if isinstance(kind, str) and kind in table:
            return table[kind], (name,)
    for key, value in part.items():
        if value is not None and key in _BY_KEY:
            return _BY_KEY[key], ()
    return None
