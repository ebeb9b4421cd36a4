"""OpenAI: content parts of the chat API, items of the responses API. Azure, LiteLLM, LiveKit and the Agents SDK follow it."""

from __future__ import annotations

from typing import Any

from collector.enrich.messages.parts import (
    Converter,
    Fields,
    Part,
    first,
    json_object,
    reasoning,
    server_tool,
    text,
    tool_call,
    tool_call_response,
)


def text_part(fields: Fields) -> list[Part]:
    """Text of every family. The assistants API wraps it: ``{"value": ..., "annotations": [...]}``."""
    value = first(fields, "text", "content")
    if isinstance(value, dict) and isinstance(value.get("value"), str):
        fields.update({key: inner for key, inner in value.items() if key != "value" and inner is not None})
        value = value["value"]
    return text(value)


def refusal(fields: Fields) -> list[Part]:
    """What the model said instead of an answer."""
    return text(first(fields, "refusal", "content"), "refusal")


def reasoning_part(fields: Fields) -> list[Part]:
    """Reasoning of every family: one text, or lists of summaries and texts; none of them where it is encrypted."""
    for name in ("text", "thinking", "reasoning", "content"):
        if isinstance(fields.get(name), str):
            return reasoning(fields.pop(name))
    parts: list[Part] = []
    for name in ("summary", "content"):
        texts = _texts(fields.get(name))
        if texts is not None:
            del fields[name]
            parts += [{"type": "reasoning", "content": each} for each in texts]
    return parts or ([] if fields.keys().isdisjoint(("encrypted_content", "id")) else reasoning(""))


def _texts(value: Any) -> list[str] | None:
    """Return the texts of a list of ``{"type": "summary_text", "text": ...}``; None if it is anything else."""
    if not isinstance(value, list):
        return None
    texts = []
    for item in value:
        if not isinstance(item, dict) or not item.keys() <= {"type", "text"} or not isinstance(item.get("text"), str):
            return None
        texts.append(item["text"])
    return texts


def call_of_chat(fields: Fields) -> list[Part]:
    """Return an entry of `tool_calls`: ``{"id", "type": "function", "function": {"name", "arguments"}}``, or flat.

    Custom tools have `custom` with `input` instead. LangChain calls the arguments `args`, the AI SDK `input`.
    """
    for kind in ("function", "custom"):
        function = fields.get(kind)
        if isinstance(function, dict):
            del fields[kind]
            inner = {key: value for key, value in function.items() if value is not None}
            found = tool_call(first(fields, "id"), inner.pop("name", None), first(inner, "arguments", "input"))
            if found and inner:
                fields[kind] = inner
            return found
    return tool_call(
        first(fields, "id", "tool_call_id", "toolCallId"),
        first(fields, "name", "toolName", "tool_name"),
        first(fields, "arguments", "args", "input"),
    )


def function_call(fields: Fields) -> list[Part]:
    """Return a call item of the responses API. Its `id` is the item's; what the response refers to is `call_id`."""
    call_id = _call_id(fields)
    return tool_call(call_id, fields.pop("name", None), first(fields, "arguments", "input"))


def function_call_output(fields: Fields) -> list[Part]:
    """Return the response to a call item."""
    if "output" not in fields:
        return []
    call_id = _call_id(fields)
    return tool_call_response(call_id, fields.pop("output"))


def _call_id(fields: Fields) -> Any:
    if "call_id" in fields and "id" in fields:
        fields["item_id"] = fields.pop("id")
    return first(fields, "call_id", "id")


def _action(name: str) -> Converter:
    """Calls whose arguments are an `action`: computer use and shells, which the application runs itself."""

    def convert_action(fields: Fields) -> list[Part]:
        call_id = _call_id(fields)
        return tool_call(call_id, name, first(fields, "action", "actions", "operation"))

    return convert_action


def _server_tool(name: str) -> Converter:
    """Calls that the provider has run by itself; what they found is in the same item."""

    def convert_server_tool(fields: Fields) -> list[Part]:
        call_id = _call_id(fields)
        called = fields.pop("name", None)
        if "arguments" in fields:
            fields["arguments"] = json_object(fields["arguments"])
        details = {"type": name, **fields}
        fields.clear()
        return server_tool("server_tool_call", call_id, called if isinstance(called, str) else name, details)

    return convert_server_tool


_SERVER_TOOLS = (
    "code_interpreter", "file_search", "image_generation", "mcp", "tool_search", "web_search",
)  # fmt: skip
_ACTIONS = {
    "computer_call": "computer",
    "local_shell_call": "local_shell",
    "shell_call": "shell",
    "apply_patch_call": "apply_patch",
}

PARTS: dict[str, Converter] = {
    **dict.fromkeys(("text", "input_text", "output_text", "summary_text", "plain_text"), text_part),
    **dict.fromkeys(("reasoning", "thinking", "reasoning_text"), reasoning_part),
    "refusal": refusal,
    "function": call_of_chat,
    "function_call": function_call,
    "custom_tool_call": function_call,
    **{kind: _action(name) for kind, name in _ACTIONS.items()},
    **dict.fromkeys(
        ("function_call_output", "custom_tool_call_output", *(f"{kind}_output" for kind in _ACTIONS)),
        function_call_output,
    ),
    **{f"{name}_call": _server_tool(name) for name in _SERVER_TOOLS},
    "mcp_list_tools": _server_tool("mcp_list_tools"),
}
"""Converters by the `type` of a part or item."""
