"""Pydantic AI, in all formats of its spans (`InstrumentationSettings.version` 1 to 6).

- Version 1 has messages as the events of the older conventions, in a list under ``events``; from version 2 on they are the
  conventions' messages, with other names for a few parts. An agent's span has the whole conversation in one list.
- ``gen_ai.usage.details.*`` repeat parts of the usage, under the names of the provider and of the release. They are read
  where nothing else has the part, and never added, but for Gemini's thoughts: up to 0.7.4 the output lacks them.
- The agent's span repeats the usage of its calls, under ``gen_ai.usage.*`` or, by default in version 2 of the package,
  ``gen_ai.aggregated_usage.*``, which is not read at all.
- Version 1 and 2 name their spans for what they do, and version 1 has no operation on those of agents and tools.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.enrich.dialects.dialect import Dialect
from collector.enrich.dialects.logfire import read_events
from collector.enrich.dialects.reading import version
from collector.enrich.messages import canonical_messages, tool_definitions
from collector.enrich.span_view import SpanView
from collector.enrich.usage_objects import total

Found = dict[str, Any]

_CONVERSATIONS = ("pydantic_ai.all_messages", "all_messages_events")
_DETAILS = "gen_ai.usage.details."
_THOUGHTS = f"{_DETAILS}thoughts_tokens"
_WITH_THOUGHTS = (0, 7, 5)
"""The first version whose output tokens include the thoughts of Gemini's models."""
_DESCRIBES_TOOL = ("name", "description", "parameters_json_schema")


def read(view: SpanView) -> Mapping[str, Any]:
    """Return the content of one span, and what its agent was told about it."""
    metadata = view.json("metadata")
    found: Found = {
        "metadata": dict(metadata) if isinstance(metadata, Mapping) else None,
        **_tools(view),
        **_thoughts(view),
    }
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


def _thoughts(view: SpanView) -> Found:
    thoughts = view.get(_THOUGHTS)
    if thoughts is None or not () < version(view.scope_version) < _WITH_THOUGHTS:
        return {}
    return {"output_tokens": total(view.get("gen_ai.usage.output_tokens"), thoughts)}


def _details(*names: str) -> tuple[str, ...]:
    return tuple(_DETAILS + name for name in names)


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
            *_details("cache_read_tokens", "cache_read_input_tokens", "cached_tokens", "prompt_cache_hit_tokens"),
            *_details("cached_content_tokens", "cached_content_token_count"),
        ),
        "cache_write_tokens": (
            "gen_ai.usage.cache_write.input_tokens",
            "gen_ai.usage.cache_creation.input_tokens",
            *_details("cache_write_tokens", "cache_creation_input_tokens"),
        ),
        "reasoning_tokens": ("gen_ai.usage.reasoning.output_tokens", *_details("reasoning_tokens"), _THOUGHTS),
        # Of OpenAI's two `audio_tokens`, that of the completion and that of the prompt, the latter was written last.
        "input_audio_tokens": (
            "gen_ai.usage.audio.input_tokens",
            *_details("input_audio_tokens", "audio_prompt_tokens", "audio_tokens"),
        ),
        "output_audio_tokens": (
            "gen_ai.usage.audio.output_tokens",
            *_details("output_audio_tokens", "audio_candidates_tokens"),
        ),
        "cache_read_audio_tokens": (
            "gen_ai.usage.audio.cache_read.input_tokens",
            *_details("cache_audio_read_tokens", "audio_cache_tokens"),
        ),
        "input_image_tokens": ("gen_ai.usage.image.input_tokens", *_details("image_prompt_tokens")),
        "output_image_tokens": ("gen_ai.usage.image.output_tokens", *_details("image_candidates_tokens")),
        "cache_read_image_tokens": (
            "gen_ai.usage.image.cache_read.input_tokens",
            *_details("image_cache_tokens"),
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
