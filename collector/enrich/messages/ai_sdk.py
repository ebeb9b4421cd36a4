"""Vercel AI SDK: content parts of its model messages (v3 to v7), and the parts of messages as its user interfaces keep them."""

from __future__ import annotations

from typing import Any

from collector.enrich.messages.parts import Converter, Fields, Part, first, server_tool, tool_call, tool_call_response

UI_TOOL = "tool-"
"""How the types of tool parts in UI messages begin; the name of the tool follows."""

_OUTPUT_TYPES = ("text", "json", "content", "error-text", "error-json")


def call(fields: Fields) -> list[Part]:
    """Return a call; v4 and older say `args`, newer ones `input`."""
    call_id, name = fields.pop("toolCallId", None), fields.pop("toolName", None)
    arguments = first(fields, "input", "args")
    if fields.get("providerExecuted") is True and isinstance(name, str):
        return server_tool("server_tool_call", call_id, name, {"type": name, "input": arguments})
    return tool_call(call_id, name, arguments)


def result(fields: Fields) -> list[Part]:
    """Return a result; v4 and older say `result`, v5 and newer `output`, with a type around the value."""
    if "output" not in fields and "result" not in fields:
        return []
    name = fields.pop("toolName", None)
    parts = tool_call_response(fields.pop("toolCallId", None), _value(first(fields, "output", "result"), fields))
    return [{**parts[0], "name": name}] if name is not None else parts


def _value(output: Any, fields: Fields) -> Any:
    """Return what a typed output holds; an error is marked beside it."""
    if not isinstance(output, dict) or not {"type", "value"} <= output.keys() or output["type"] not in _OUTPUT_TYPES:
        return output
    if len(output) > 2:
        return output
    if output["type"].startswith("error"):
        fields["is_error"] = True
    return output["value"]


def invocation(fields: Fields) -> list[Part]:
    """Return a tool part of a v4 UI message: the call, and its result once there is one."""
    inner = fields.get("toolInvocation")
    return ui_tool(fields | fields.pop("toolInvocation")) if isinstance(inner, dict) else []


def ui_tool(fields: Fields) -> list[Part]:
    """Return a tool part of a v5 UI message: the call, and its output or error once there is one."""
    kind = fields.pop("type", "")
    name = fields.pop("toolName", None) or kind.removeprefix(UI_TOOL)
    call_id = fields.pop("toolCallId", None)
    fields.pop("state", None)
    parts = tool_call(call_id, name, first(fields, "input", "rawInput", "args"))
    output = first(fields, "output", "result", "errorText")
    return [*parts, *tool_call_response(call_id, output)] if output is not None and parts else parts


PARTS: dict[str, Converter] = {
    "tool-call": call,
    "tool-result": result,
    "tool-error": result,
    "tool-invocation": invocation,
    "dynamic-tool": ui_tool,
}
"""Converters by the `type` of a part; text, reasoning, image and file are those that all families share."""
