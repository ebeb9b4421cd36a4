"""Logfire's instrumentations of model clients, and the spans that applications make with Logfire.

- ``gen_ai.usage.raw`` is the provider's own usage object. Older releases have the cached tokens nowhere else, and no release
  has the reasoning tokens elsewhere, so it comes before the other counts. Older still, it is in ``response_data``.
- A streamed call makes two spans: that of the request, without an answer, and one that is logged when the stream has ended,
  which has all of it. The former is OTHER, unless it failed.
- The name of a span is a template; what it says is in ``logfire.msg``.
- Lists and objects are JSON texts. Before there were message attributes, the messages are in ``request_data`` and
  ``response_data``.
- A span that only says that another has started (``logfire.span_type`` is ``pending_span``) is OTHER: `enrich.kinds`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.enrich.dialects.dialect import Dialect
from collector.enrich.dialects.model_call import parameters, read_request, read_response
from collector.enrich.messages import canonical_messages, tool_definitions
from collector.enrich.span_view import SpanView
from collector.enrich.usage_objects import provider_usage

Found = dict[str, Any]

_ANSWER = ("gen_ai.output.messages", "gen_ai.response.id", "gen_ai.usage.input_tokens", "response_data", "error.type")


def read(view: SpanView) -> Mapping[str, Any]:
    """Return what the attributes of one span hold as JSON, and which half of a streamed call it is."""
    if view.text("logfire.span_type") == "pending_span":
        return {}
    raw = view.json("gen_ai.usage.raw")
    found: Found = {**_request(view), **_response(view, raw)}
    if isinstance(raw, Mapping):
        tier = raw.get("service_tier")
        found |= {**provider_usage(raw), "service_tier": tier if isinstance(tier, str) else None}
    if (tools := view.json("gen_ai.tool.definitions")) is not None and (definitions := tool_definitions(tools)):
        view.moved.add("gen_ai.tool.definitions")
        found["tool_definitions"] = definitions
    return {**found, **_half_of_stream(view)}


def _request(view: SpanView) -> Found:
    """What ``request_data`` holds. It is moved where it holds messages: the rest of it are parameters."""
    request = view.json("request_data")
    if not isinstance(request, Mapping):
        return {}
    found = read_request(request)
    found["model_parameters"] = parameters(view, found.get("model_parameters", {}))
    if view.get("gen_ai.input.messages") is not None:
        found.pop("input", None)
        found.pop("system_instructions", None)
    if view.text("gen_ai.operation.name") == "embeddings" and request.get("input") is not None:
        found["input"] = request["input"]
    if found.get("input") is not None:
        view.moved.add("request_data")
    return found


def _response(view: SpanView, raw: Any) -> Found:
    """What ``response_data`` holds. It is moved where all of it stands elsewhere."""
    response = view.json("response_data")
    if not isinstance(response, Mapping):
        return _from_events(view)
    found = read_response(response)
    text = response.get("combined_chunk_content")
    if "output" not in found and isinstance(text, str) and text:
        found["output"] = canonical_messages(text, "assistant")
    if view.get("gen_ai.output.messages") is not None:
        found.pop("output", None)
    elif found.get("output") is not None and isinstance(raw, Mapping) and response.keys() <= {"message", "usage"}:
        view.moved.add("response_data")
    return found


def _from_events(view: SpanView) -> Found:
    """The messages of the first releases that followed the conventions: a list of events as JSON text."""
    return read_events(view, "events") if view.get("events") is not None else {}


def read_events(view: SpanView, key: str) -> Found:
    """Return the messages under this key, which holds the events of the older conventions as a list."""
    events = view.json(key)
    if not isinstance(events, list) or not all(
        isinstance(event, Mapping) and "event.name" in event for event in events
    ):
        return {}
    view.moved.add(key)
    spoken = [event for event in events if event["event.name"] != "gen_ai.choice"]
    chosen = [event for event in events if event["event.name"] == "gen_ai.choice"]
    return {"input": canonical_messages(spoken, "user"), "output": canonical_messages(chosen, "assistant")}


def _half_of_stream(view: SpanView) -> Found:
    if view.text("gen_ai.operation.name", "gen_ai.request.model") is None:
        return {}
    if view.text("logfire.span_type") == "log":
        return {"streaming": True}
    level = view.get("logfire.level_num")
    failed = isinstance(level, int) and level >= 17
    return {} if failed or view.get(*_ANSWER) is not None else {"kind": "OTHER", "streaming": True}


DIALECT = Dialect(
    name="logfire",
    scopes=("logfire", "logfire.*"),
    markers=("logfire.msg_template", "logfire.msg", "logfire.span_type"),
    inclusive=True,
    lists={"tags": ("logfire.tags",)},
    read=read,
)
