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


def _older_response(fields: Fields) -> list[Part]:
    """Older emitters of the canonical form say `result`, newer ones `response`."""
    return tool_call_response(fields.pop("id", None), first(fields, "response", "result"))


_BY_TYPE: dict[str, Converter] = {
    **media.PARTS,
    **openai.PARTS,
    **anthropic.PARTS,
    **ai_sdk.PARTS,
    **langchain.PARTS,
    "tool_call_response": _older_response,
}
_BY_KEY: dict[str, Converter] = {**ai_sdk.KEYS, **bedrock.KEYS, **gemini.KEYS}
_BESIDE_KEY = bedrock.BESIDE | gemini.BESIDE

# The field that a part of this type has in canonical form, its type, and fields that only other forms of it have.
_CANONICAL: dict[str, tuple[str, type, tuple[str, ...]]] = {
    "text": ("content", str, ("text",)),
    "reasoning": ("content", str, ("text", "summary")),
    "refusal": ("content", str, ("refusal",)),
    "tool_call": ("name", str, ("args", "function")),
    "tool_call_response": ("response", object, ()),
    "server_tool_call": ("server_tool_call", object, ()),
    "server_tool_call_response": ("server_tool_call_response", object, ()),
    "blob": ("content", object, ()),
    "uri": ("uri", str, ()),
    "file": ("file_id", str, ("file",)),
    "compaction": ("type", str, ()),
    "json": ("content", object, ()),
}


def is_canonical(part: Any) -> bool:
    """Say whether the semantic conventions define this part as it is; one of a type that nobody defines is as good."""
    if not isinstance(part, dict):
        return False
    kind = part.get("type")
    if not isinstance(kind, str):
        return False
    if kind not in _CANONICAL:
        return _converter(part) is None
    name, expected, foreign = _CANONICAL[kind]
    return name in part and isinstance(part[name], expected) and not any(key in part for key in foreign)


def understood(value: Any) -> list[Part]:
    """Return the canonical parts that `value` is; empty if it is nothing like a part."""
    if not isinstance(value, dict):
        return []
    kind = value.get("type")
    if isinstance(kind, str) and kind in _CANONICAL and is_canonical(value):
        return [value]
    found = _converter(value)
    return convert(value, *found) if found else []


def is_bare_part(value: Mapping[str, Any]) -> bool:
    """Say whether `value` may be a part although no message is around it: somebody's record is not one."""
    if isinstance(value.get("type"), str) or not ai_sdk.KEYS.keys().isdisjoint(value):
        return True
    keys = [key for key, inner in value.items() if inner is not None and key not in _BESIDE_KEY]
    return len(keys) == 1 and keys[0] in _BY_KEY


def part_list(content: Any) -> list[Part]:
    """Return the parts that the content of a message is, whatever it is: nothing is lost."""
    if content is None or content == "":
        return []
    if not isinstance(content, list):
        return _any_part(content)
    if len(content) > MAX_ITEMS:
        return [json_part(content)]
    return [part for item in content for part in _any_part(item)]


def _any_part(value: Any) -> list[Part]:
    if isinstance(value, str):
        return text(value)
    if found := understood(value):
        return found
    return [value if isinstance(value, dict) and isinstance(value.get("type"), str) else json_part(value)]


def _converter(part: Mapping[str, Any]) -> tuple[Converter, str] | None:
    """Return what converts this part, and the field that only says what kind of part it is ("" for none)."""
    kind = part.get("type")
    if isinstance(kind, str):
        return _of_type(kind, part)
    for name, table in (("part_kind", pydantic_ai.PARTS), ("kind", media.PARTS), ("block_type", _BY_TYPE)):
        kind = part.get(name)
        if isinstance(kind, str) and kind in table:
            return table[kind], name
    for key, value in part.items():
        if key in _BY_KEY and value is not None:
            return _BY_KEY[key], ""
    return None


def _of_type(kind: str, part: Mapping[str, Any]) -> tuple[Converter, str] | None:
    if kind in _BY_TYPE:
        return _BY_TYPE[kind], "type"
    if kind.endswith(anthropic.SERVER_RESULT):
        return anthropic.server_tool_result, ""
    return (ai_sdk.ui_tool, "") if kind.startswith(ai_sdk.UI_TOOL) and "toolCallId" in part else None
