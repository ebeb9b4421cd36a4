"""Strands Agents (1.62 and older).

- It names itself as the provider; who that is, the model tells.
- `gen_ai.server.time_to_first_token` is in milliseconds, while OpenLIT's is in seconds.
- Since 1.62 input tokens include cached ones. Older releases pass on those of Bedrock, which do not, while their total does:
  a span's own total decides.
- Messages are span events: those of the conventions 1.36, or with the opt-in those of today. Those of a tool are wrapped in
  messages, and its spans hold what it was given and gave.
- `invoke_agent` repeats the sum of the model calls below it (strands-agents/harness-sdk#1267, #3602); a cycle of the event
  loop reports none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.enrich.dialects.dialect import Dialect
from collector.enrich.dialects.reading import PLACEHOLDERS, said
from collector.enrich.messages import canonical_messages, tool_definitions
from collector.enrich.span_view import SpanView
from collector.json_text import json_value

_DETAILS = "gen_ai.client.inference.operation.details"


def read(view: SpanView) -> Mapping[str, Any]:
    """Return content whose events do not say it as the conventions do."""
    match view.text("gen_ai.operation.name"):
        case "execute_tool":
            return _tool(view)
        case "execute_event_loop_cycle":
            return _cycle(view)
        case "memory.search":
            return _memory(view)
    return {"tool_definitions": tool_definitions(said(view, "gen_ai.tool.definitions"))}


def _tool(view: SpanView) -> dict[str, Any]:
    """What the tool was given and gave: in attributes (since 1.6x, with the opt-in), or in one event each."""
    given, gave = said(view, "gen_ai.tool.call.arguments"), said(view, "gen_ai.tool.call.result")
    for name, _, attributes in view.events:
        if name == "gen_ai.tool.message":
            given = _parsed(attributes.get("content")) if given is None else given
        elif name == "gen_ai.choice":
            gave = _parsed(attributes.get("message")) if gave is None else gave
        elif name == _DETAILS:
            given = _of_part(attributes.get("gen_ai.input.messages"), "arguments") if given is None else given
            gave = _of_part(attributes.get("gen_ai.output.messages"), "response") if gave is None else gave
    # An empty text is none, and keeps the messages out that the events wrap it in.
    return {"input": "" if given is None else given, "output": "" if gave is None else gave}


def _cycle(view: SpanView) -> dict[str, Any]:
    """The conversation that a cycle began with: a later event holds the results of its tools in the same attribute."""
    for name, _, attributes in view.events:
        if name == _DETAILS and (messages := _parsed(attributes.get("gen_ai.input.messages"))):
            return {"input": canonical_messages(messages, "user")}
    return {}


def _memory(view: SpanView) -> dict[str, Any]:
    events = {name: attributes.get("content") for name, _, attributes in view.events}
    return {"input": events.get("memory.query"), "output": _parsed(events.get("memory.results"))}


def _of_part(messages: Any, name: str) -> Any:
    parsed = _parsed(messages)
    parts = parsed[0].get("parts") if isinstance(parsed, list) and parsed and isinstance(parsed[0], dict) else None
    return parts[0].get(name) if isinstance(parts, list) and parts and isinstance(parts[0], dict) else None


def _parsed(value: Any) -> Any:
    if value in (None, "", *PLACEHOLDERS):
        return None
    return json_value(value) if isinstance(value, str) else value


DIALECT = Dialect(
    name="strands",
    scopes=("strands.*", "strands-agents"),
    markers=("event_loop.cycle_id", "event_loop.parent_cycle_id"),
    tokens={
        "cache_read_tokens": ("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens"),
        "cache_write_tokens": ("gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_write_input_tokens"),
    },
    milliseconds={"time_to_first_token_ns": ("gen_ai.server.time_to_first_token",)},
    read=read,
)
