"""Vercel AI SDK: content parts of its model messages (v3 to v7), and of messages as its user interfaces keep them."""

from __future__ import annotations

from typing import Any

from collector.enrich.messages.parts import (
    Converter,
    Fields,
    Part,
    first,
    server_tool_call,
    tool_call,
    tool_call_response,
)

UI_TOOL = "tool-"
"""How the types of tool parts in UI messages begin; the name of the tool follows."""


def call(fields: Fields) -> list[Part]:
    """Return a call; v4 and older say `args`, newer ones `input`."""
    call_id, name = fields.pop("toolCallId", None), fields.pop("toolName", None)
    arguments = first(fields, "input", "args")
    if fields.get("providerExecuted") is True:
        return server_tool_call(call_id, name, {"type": name, "input": arguments})
    return tool_call(call_id, name, arguments)


def result(fields: Fields) -> list[Part]:
    """Return a result; v4 and older say `result`, newer ones `output`, with a type around the value."""
    if fields.keys().isdisjoint(("output", "result", "error")):
        return []
    name = fields.pop("toolName", None)
    if name is not None:
        fields["name"] = name
    call_id = fields.pop("toolCallId", None)
    return tool_call_response(call_id, _value(first(fields, "output", "result", "error"), fields))


def _value(output: Any, fields: Fields) -> Any:
    """Return what a typed output holds; an error is marked beside it."""
    if not isinstance(output, dict) or output.keys() != {"type", "value"} or not isinstance(output["type"], str):
        return output
    if output["type"].startswith("error"):
        fields["is_error"] = True
    return output["value"]


def untyped(fields: Fields) -> list[Part]:
    """Return an entry of ``ai.response.toolCalls``, which says its type in `toolCallType` or not at all."""
    if fields.get("toolCallType") == "function":
        del fields["toolCallType"]
    return call(fields) if fields.keys().isdisjoint(("output", "result")) else result(fields)


def invocation(fields: Fields) -> list[Part]:
    """Return a tool part of a v4 UI message: the call, and its result once there is one."""
    inner = fields.get("toolInvocation")
    if not isinstance(inner, dict) or not inner.keys().isdisjoint(fields):
        return []
    del fields["toolInvocation"]
    fields.update({key: value for key, value in inner.items() if value is not None})
    return ui_tool(fields)


def ui_tool(fields: Fields) -> list[Part]:
    """Return a tool part of a newer UI message: the call, and its output or error once there is one."""
    kind = fields.pop("type", "")
    call_id, name = fields.pop("toolCallId", None), first(fields, "toolName")
    state = fields.pop("state", None)
    parts = tool_call(call_id, name if name is not None else kind.removeprefix(UI_TOOL), first(fields, "input", "args"))
    output = first(fields, "output", "result", "errorText")
    if not parts or output is None:
        return parts
    [answer] = tool_call_response(call_id, output)
    return [*parts, {**answer, "is_error": True} if state == "output-error" else answer]


KEYS: dict[str, Converter] = {"toolCallId": untyped}
"""Converters by the key that says what a part without a type is."""

PARTS: dict[str, Converter] = {
    "tool-call": call,
    "tool-result": result,
    "tool-error": result,
    "tool-invocation": invocation,
    "dynamic-tool": ui_tool,
}
"""Converters by the `type` of a part; text, reasoning, image and file are those that all families share."""
