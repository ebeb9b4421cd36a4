"""Tool definitions of any family to the flat form of the semantic conventions: ``{"type", "name", "description"?, "parameters"?}``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from collector.enrich.messages.parts import MAX_ITEMS, first, json_object
from collector.json_text import json_value

Definition = dict[str, Any]

MAX_LEVELS = 6
"""Lists and objects around the definitions that are looked into."""

_HOLDERS = (
    "tools", "functionDeclarations", "function_declarations", "functions", "toolConfig", "config", "tool", "toolSpec",
    "function_tools", "output_tools", "builtin_tools", "json_schema",
)  # fmt: skip
_PARAMETERS = (
    "parameters", "input_schema", "inputSchema", "parametersJsonSchema", "parameters_json_schema", "args_schema", "args",
)  # fmt: skip


def tool_definitions(value: Any) -> list[Definition] | None:
    """Return the tools that a model was offered, in the flat form; None if `value` is nothing like definitions."""
    found = list(_definitions(value, 0))
    return found or None


def _definitions(value: Any, level: int) -> Iterator[Definition]:
    if level > MAX_LEVELS:
        return
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        parsed = json_value(value)
        value = None if isinstance(parsed, str) else parsed
    if isinstance(value, list):
        for item in value[:MAX_ITEMS]:
            yield from _definitions(item, level + 1)
    elif isinstance(value, dict):
        yield from _of_object(value, level)


def _of_object(value: Mapping[str, Any], level: int) -> Iterator[Definition]:
    definition = _definition(value)
    if definition:
        yield definition
        return
    holders = [name for name in _HOLDERS if isinstance(value.get(name), dict | list | str)]
    for name in holders:
        yield from _definitions(value[name], level + 1)
    if not holders:
        yield from _named(value, level)


def _named(value: Mapping[str, Any], level: int) -> Iterator[Definition]:
    """The AI SDK's and Gemini's objects of tools by name: ``{"weather": {"inputSchema": ...}}``, ``{"googleSearch": {}}``."""
    for name, inner in list(value.items())[:MAX_ITEMS]:
        if not isinstance(inner, dict):
            continue
        if any(key in inner for key in ("description", *_PARAMETERS)):
            definition = _definition({"name": name, **inner})
            if definition:
                yield definition
        elif level and len(value) == 1:
            yield {"type": name, "name": name, **inner}


def _definition(value: Mapping[str, Any]) -> Definition | None:
    """Return the definition that this object is; None if it is none."""
    fields = {key: inner for key, inner in value.items() if inner is not None}
    nested = fields.get("function")
    if isinstance(nested, dict):
        del fields["function"]
        fields = {**fields, **{key: inner for key, inner in nested.items() if inner is not None}}
    kind, name = fields.pop("type", None), fields.pop("name", None)
    if not isinstance(name, str):
        if not isinstance(kind, str) or kind in _SCHEMA_TYPES or "function" in kind:
            return None
        return {"type": kind, "name": kind, **fields}
    definition: Definition = {
        "type": kind if isinstance(kind, str) and kind not in ("custom", "constructor") else "function",
        "name": name,
    }
    if "description" in fields:
        definition["description"] = fields.pop("description")
    parameters = first(fields, *_PARAMETERS)
    if parameters is not None:
        definition["parameters"] = _schema(parameters)
    return {**fields, **definition}


_SCHEMA_TYPES = ("object", "array", "string", "number", "integer", "boolean", "null", "constructor")


def _schema(value: Any) -> Any:
    """Return a JSON schema without what some put around it: Bedrock's `json`, the AI SDK's `jsonSchema`, JSON text."""
    value = json_object(value)
    if isinstance(value, dict):
        for name in ("json", "jsonSchema"):
            if isinstance(value.get(name), dict):
                return value[name]
    return value
