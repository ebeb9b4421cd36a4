"""Pydantic AI, in all formats of its spans (`InstrumentationSettings.version` 1 to 6).

- Version 1 has messages as the events of the older conventions, in a list under ``events``; from version 2 on they are the
  conventions' messages, with other names for a few parts. An agent's span has the whole conversation in one list.
- ``gen_ai.usage.details.*`` repeat parts of the usage. They are read where nothing else has the part, and never added.
- The agent's span repeats the usage of its calls, under ``gen_ai.usage.*`` or, by default in version 2 of the package,
  ``gen_ai.aggregated_usage.*``, which is not read at all.
- Version 1 and 2 name their spans for what they do, and version 1 has no operation on those of agents and tools.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.enrich.dialects.dialect import Dialect
from collector.enrich.dialects.logfire import read_events
from collector.enrich.messages import canonical_messages, tool_definitions
from collector.enrich.span_view import SpanView

Found = dict[str, Any]

_CONVERSATIONS = ("pydantic_ai.all_messages", "all_messages_events")
_DESCRIBES_TOOL = ("name", "description", "parameters_json_schema")


def read(view: SpanView) -> Mapping[str, Any]:
    """Return the content of one span, and what its agent was told about it."""
    metadata = view.json("metadata")
    found: Found = {"metadata": dict(metadata) if isinstance(metadata, Mapping) else None, **_tools(view)}
    if view.get(*_CONVERSATIONS) is not None:
        return {**found, **_conversation(view)}
    if view.get("events") is not None:
        return {**found, **read_events(view, "events")}
    for field, key, role in (
        ("input", "gen_ai.input.messages", "user"),
        ("output", "gen_ai.output.messages", "assistant"),
    ):
        if (messages := view.json(key)) is not None and (canonical := canonical_messages(messages, role)):
            view.moved.add(key)
            found[field] = canonical
    return found


def _conversation(view: SpanView) -> Found:
    """An agent's conversation: what the assistant said last is its output, all before that its input."""
    key = next(key for key in _CONVERSATIONS if view.get(key) is not None)
    messages = canonical_messages(view.json(key), "user")
    if not messages:
        return {}
    view.moved.add(key)
    result = view.get("final_result")
    if messages[-1]["role"] != "assistant":
        view.moved.update({"final_result"} if result is not None else ())
        return {"input": messages, "output": result}
    *before, last = messages
    if any(part.get("content") == result for part in last["parts"]):
        view.moved.add("final_result")
    return {"input": before or None, "output": [last]}


def _tools(view: SpanView) -> Found:
    if view.get("gen_ai.tool.definitions") is not None:
        return {}
    parameters = view.json("model_request_parameters")
    offered = parameters.get("function_tools") if isinstance(parameters, Mapping) else None
    if not isinstance(offered, list):
        return {}
    tools = [{name: tool.get(name) for name in _DESCRIBES_TOOL} for tool in offered if isinstance(tool, Mapping)]
    return {"tool_definitions": tool_definitions(tools)}


DIALECT = Dialect(
    name="pydantic_ai",
    scopes=("pydantic-ai",),
    markers=("pydantic_ai.*", "model_request_parameters"),
    inclusive=True,
    kinds_of_names={"agent run": "AGENT", "running tool": "TOOL", "running tools": "CHAIN"},
    text={
        "request_model": ("gen_ai.request.model", "model_name"),
        "agent_name": ("gen_ai.agent.name", "agent_name"),
    },
    content={
        "input": ("gen_ai.tool.call.arguments", "tool_arguments"),
        "output": ("gen_ai.tool.call.result", "tool_response", "final_result"),
    },
    tokens={
        "cache_read_tokens": (
            "gen_ai.usage.cache_read.input_tokens",
            "gen_ai.usage.details.cache_read_tokens",
            "gen_ai.usage.details.cache_read_input_tokens",
            "gen_ai.usage.details.cached_tokens",
            "gen_ai.usage.details.cached_content_tokens",
        ),
        "cache_write_tokens": (
            "gen_ai.usage.cache_write.input_tokens",
            "gen_ai.usage.cache_creation.input_tokens",
            "gen_ai.usage.details.cache_write_tokens",
            "gen_ai.usage.details.cache_creation_input_tokens",
        ),
        "reasoning_tokens": (
            "gen_ai.usage.reasoning.output_tokens",
            "gen_ai.usage.details.reasoning_tokens",
            "gen_ai.usage.details.thoughts_tokens",
        ),
        "input_audio_tokens": ("gen_ai.usage.audio.input_tokens", "gen_ai.usage.details.input_audio_tokens"),
        "output_audio_tokens": ("gen_ai.usage.audio.output_tokens", "gen_ai.usage.details.output_audio_tokens"),
        "cache_read_audio_tokens": (
            "gen_ai.usage.audio.cache_read.input_tokens",
            "gen_ai.usage.details.cache_audio_read_tokens",
        ),
    },
    seconds={
        "time_to_first_token_ns": (
            "gen_ai.response.time_to_first_chunk",
            "gen_ai.client.operation.time_to_first_chunk",
        )
    },
    read=read,
)
