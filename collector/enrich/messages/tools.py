"""Tool definitions of any family to the flat form of the semantic conventions.

{"type": "function", "name": ..., "description"?: ..., "parameters"?: JSON schema}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from collector.enrich.messages.parts import MAX_ITEMS, first, json_container, json_object

Definition = dict[str, Any]

MAX_LEVELS = 8
"""Lists, objects and JSON texts around the definitions that are looked into."""

_HOLDERS = (
    "tools", "functions", "functionDeclarations", "function_declarations", "function_tools", "output_tools", "builtin_tools",
    "toolConfig", "config", "toolSpec", "tool", "json_schema",
)  # fmt: skip
"""Fields of requests, of Gemini's and Bedrock's tools and of flattened attributes that hold definitions."""

_SCHEMAS = (
    "parameters",
    "input_schema",
    "inputSchema",
    "parametersJsonSchema",
    "parameters_json_schema",
    "args_schema",
)
_NOT_A_TYPE = ("custom", "constructor")
"""What Anthropic and LangChain call the tools that everybody else calls functions."""
_NO_BUILTINS = (*_NOT_A_TYPE, "function", "object", "array", "string", "number", "integer", "boolean", "null")
"""Types of definitions that lost their name, and of JSON schemas."""

_GEMINI_TOOLS = frozenset({
    "googleSearch", "google_search", "googleSearchRetrieval", "google_search_retrieval", "codeExecution", "code_execution",
    "urlContext", "url_context", "googleMaps", "google_maps", "fileSearch", "file_search", "computerUse", "computer_use",
    "enterpriseWebSearch", "enterprise_web_search", "retrieval",
})  # fmt: skip


def tool_definitions(value: Any) -> list[Definition] | None:
    """Return the tools that a model was offered, or those of a request, in flat form; None if there are none."""
    return list(_definitions(value, 0)) or None


def _definitions(value: Any, level: int) -> Iterator[Definition]:
    if isinstance(value, str):
        value = json_container(value)
    if level > MAX_LEVELS:
        return
    if isinstance(value, list):
        for item in value[:MAX_ITEMS]:
            if isinstance(item, str) and item and json_container(item) is None:
                yield {"type": "function", "name": item}
            else:
                yield from _definitions(item, level + 1)
    elif isinstance(value, dict):
        yield from _of_object(value, level)


def _of_object(value: Mapping[str, Any], level: int) -> Iterator[Definition]:
    holders = [name for name in _HOLDERS if isinstance(value.get(name), str | list | dict)]
    for name in holders:
        yield from _definitions(value[name], level + 1)
    builtin = _GEMINI_TOOLS & value.keys()
    for name in sorted(builtin):
        yield {"type": name, "name": name, **json_fields(value[name])}
    if holders or builtin:
        return
    definition = _definition(value)
    if definition:
        yield definition
    elif len(value) <= MAX_ITEMS and all(isinstance(inner, dict) and _describes(inner) for inner in value.values()):
        # The AI SDK's form: ``{"weather": {"description": ..., "inputSchema": ...}}``.
        yield from filter(None, (_definition({"name": name, **inner}) for name, inner in value.items()))


def json_fields(value: Any) -> dict[str, Any]:
    """Return the fields that say something about a tool; none if it is no object."""
    return {key: inner for key, inner in value.items() if inner is not None} if isinstance(value, dict) else {}


def _describes(value: Mapping[str, Any]) -> bool:
    return any(value.get(name) is not None for name in ("description", *_SCHEMAS))


def _definition(value: Mapping[str, Any]) -> Definition | None:
    """Return the definition that this object is; None if it is none."""
    fields = json_fields(value)
    fields |= json_fields(fields.pop("function", None))
    kind, name = fields.pop("type", None), fields.pop("name", None)
    if not isinstance(name, str):
        is_builtin = isinstance(kind, str) and kind not in _NO_BUILTINS and not _describes(fields)
        return {"type": kind, "name": kind, **fields} if is_builtin else None
    definition: Definition = {
        "type": kind if isinstance(kind, str) and kind not in _NOT_A_TYPE else "function",
        "name": name,
    }
    description = first(fields, "description")
    if description is not None:
        definition["description"] = description
    schema = first(fields, *_SCHEMAS)
    if schema is not None:
        definition["parameters"] = _unwrapped(schema)
    return {**definition, **{key: inner for key, inner in fields.items() if key not in definition}}


def _unwrapped(schema: Any) -> Any:
    """Return a JSON schema without what is around it: Bedrock's `json`, the AI SDK's `jsonSchema`, JSON text."""
    schema = json_object(schema)
    for name in ("json", "jsonSchema"):
        if isinstance(schema, dict) and isinstance(schema.get(name), dict):
            return schema[name]
    return schema
