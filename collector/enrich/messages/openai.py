"""OpenAI: content parts of the chat API, items of the responses API. Azure, LiteLLM, LiveKit and the Agents SDK follow it."""

from __future__ import annotations

from functools import partial
from typing import Any

from collector.enrich.messages.parts import (
    Converter,
    Fields,
    Part,
    all_of,
    first,
    json_object,
    reasoning,
    server_tool_call,
    text,
    tool_call,
    tool_call_response,
)

_SERVER_TOOLS = ("code_interpreter", "file_search", "image_generation", "mcp", "tool_search", "web_search")
_ACTIONS = ("computer", "local_shell", "shell", "apply_patch")
"""Tools of OpenAI's that the application runs itself; their arguments are an `action` or `operation`."""


def text_part(fields: Fields) -> list[Part]:
    """Return text. The assistants API wraps it: ``{"value": ..., "annotations": [...]}``."""
    value = first(fields, "text", "content")
    if isinstance(value, dict) and isinstance(value.get("value"), str) and value.keys().isdisjoint(fields):
        fields.update(value)
        value = fields.pop("value")
    return text(value)


def refusal(fields: Fields) -> list[Part]:
    """Return what the model said instead of an answer."""
    return text(first(fields, "refusal", "content"), "refusal")


def reasoning_part(fields: Fields) -> list[Part]:
    """Return reasoning: one text, or lists of summaries and texts; an empty text where the provider keeps it to itself."""
    for name in ("text", "thinking", "reasoning", "content"):
        if isinstance(fields.get(name), str):
            return reasoning(fields.pop(name))
    parts: list[Part] = []
    for name in ("summary", "content"):
        texts = _texts(fields.get(name))
        if texts is not None:
            del fields[name]
            parts += [part for each in texts for part in reasoning(each)]
    return parts or (reasoning("") if {"encrypted_content", "id", "signature"} & fields.keys() else [])


def _texts(value: Any) -> list[str] | None:
    """Return the texts of a list of ``{"type": "summary_text", "text": ...}``; None if it is anything else."""
    if not isinstance(value, list):
        return None
    plain = [item for item in value if isinstance(item, dict) and item.keys() <= {"type", "text"}]
    texts = [item["text"] for item in plain if isinstance(item.get("text"), str)]
    return texts if len(texts) == len(value) else None


def call_of_chat(fields: Fields) -> list[Part]:
    """Return an entry of `tool_calls`: ``{"id", "type": "function", "function": {"name", "arguments"}}``, or flat.

    Custom tools have `custom` with `input` instead. LangChain calls the arguments `args`, the AI SDK `input`.
    """
    for kind in ("function", "custom"):
        function = fields.get(kind)
        if isinstance(function, dict) and function.keys().isdisjoint(fields):
            del fields[kind]
            fields.update({key: value for key, value in function.items() if value is not None})
    return tool_call(
        first(fields, "id", "tool_call_id", "toolCallId"),
        first(fields, "name", "toolName", "tool_name"),
        first(fields, "arguments", "args", "input"),
    )


def typed_call(fields: Fields) -> list[Part]:
    """Return a call that stands alone. A function without arguments or an id is the definition of a tool."""
    function = fields.get("function")
    called = function if isinstance(function, dict) else fields
    return call_of_chat(fields) if {"id", "arguments", "args"} & (called.keys() | fields.keys()) else []


def function_call(fields: Fields) -> list[Part]:
    """Return a call item of the responses API. Its `id` is the item's; what the response refers to is `call_id`."""
    return tool_call(_call_id(fields), fields.pop("name", None), first(fields, "arguments", "input"))


def function_call_output(fields: Fields) -> list[Part]:
    """Return the response to a call item."""
    if "output" not in fields:
        return []
    return tool_call_response(_call_id(fields), fields.pop("output"))


def _action(fields: Fields, name: str) -> list[Part]:
    return tool_call(_call_id(fields), name, first(fields, "action", "operation"))


def _server_tool(fields: Fields, name: str) -> list[Part]:
    """Return a call that the provider has run by itself; what it found is in the same item."""
    call_id, called = _call_id(fields), first(fields, "name")
    details = {key: json_object(value) if key == "arguments" else value for key, value in all_of(fields).items()}
    return server_tool_call(call_id, called or name, {"type": name, **details})


def _call_id(fields: Fields) -> Any:
    if "call_id" in fields and "id" in fields:
        fields["item_id"] = fields.pop("id")
    return first(fields, "call_id", "id")


PARTS: dict[str, Converter] = {
    **dict.fromkeys(("text", "input_text", "output_text", "summary_text"), text_part),
    **dict.fromkeys(("reasoning", "thinking", "reasoning_text"), reasoning_part),
    "refusal": refusal,
    **dict.fromkeys(("function", "tool_call"), typed_call),
    **dict.fromkeys(("function_call", "custom_tool_call"), function_call),
    **{f"{name}_call": partial(_action, name=name) for name in _ACTIONS},
    **dict.fromkeys(("function_call_output", "custom_tool_call_output"), function_call_output),
    **{f"{name}_call_output": function_call_output for name in _ACTIONS},
    **{f"{name}_call": partial(_server_tool, name=name) for name in _SERVER_TOOLS},
    "mcp_list_tools": partial(_server_tool, name="mcp_list_tools"),
}
"""Converters by the `type` of a part or item."""
