"""LiveKit Agents (1.8 and older).

- Every content attribute has two names: since 1.8 with `pii.` after `lk.`, before without.
- `llm_request` is the model call, in the conventions' terms; `llm_node` above it repeats its content, and is the model call
  itself only where it says so (a node that asks a model by itself).
- `realtime_inference` and `realtime_metrics` report speech-to-speech models, with tokens by modality, before 1.7 under the
  vendor's names alone.
- `lk.response.ttft` is in seconds; -1 says that nothing came. `langfuse.observation.completion_start_time` has it as an
  instant in quotes.
- The metrics of a call are JSON beside the attributes. Only there are the total, up to 1.6 the cached tokens, up to 1.7 what
  was written into the cache, which before 1.7 nothing tells, and up to 1.7 the images and the cached audio of speech-to-speech
  models. A count of 0 in the metrics of a text model may be of one that does not count so.
- Of a call that was cancelled before the model had counted, all counts are 0: that is no report.
- Up to 1.7 the turn of a speech-to-speech model has the usage itself.
- `llm_request` of a model that only hands on to others (a fallback) has neither operation nor usage.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.enrich.dialects.dialect import Dialect
from collector.enrich.dialects.reading import said, said_text
from collector.enrich.messages import canonical_messages
from collector.enrich.span_view import SpanView


def _both(*names: str) -> tuple[str, ...]:
    return tuple(f"lk.{prefix}{name}" for name in names for prefix in ("pii.", ""))


_TURN = {"input": _both("user_input", "instructions"), "output": _both("response.text")}
_TEXTS = {
    "agent_turn": _TURN,
    "assistant_turn": _TURN,
    "tts_node": {"input": _both("input_text")},
    "tts_request": {"input": _both("input_text")},
    "user_turn": {"output": _both("user_transcript")},
}
"""Spans whose content is plain text, and where it is."""

_CALLS = frozenset({"llm_request", "realtime_inference", "realtime_metrics"})
_IN_METRICS = {
    "total_tokens": "total_tokens",
    "cache_read_tokens": "prompt_cached_tokens",
    "cache_write_tokens": "cache_creation_tokens",
    "reasoning_tokens": "reasoning_tokens",
}
_IN_REALTIME_METRICS = {
    "total_tokens": ("total_tokens",),
    "input_audio_tokens": ("input_token_details", "audio_tokens"),
    "input_image_tokens": ("input_token_details", "image_tokens"),
    "cache_read_tokens": ("input_token_details", "cached_tokens"),
    "cache_read_audio_tokens": ("input_token_details", "cached_tokens_details", "audio_tokens"),
    "cache_read_image_tokens": ("input_token_details", "cached_tokens_details", "image_tokens"),
    "output_audio_tokens": ("output_token_details", "audio_tokens"),
    "output_image_tokens": ("output_token_details", "image_tokens"),
}
"""Our token fields, and where the metrics have them."""


def read(view: SpanView) -> Mapping[str, Any]:
    """Return the content of the spans that LiveKit writes in its own terms, and what only its metrics tell of the usage."""
    match view.name:
        case "llm_node":
            content = _llm_node(view)
        case "function_tool":
            content = _tool(view)
        case _:
            content = {name: said_text(view, *keys) for name, keys in _TEXTS.get(view.name, {}).items()}
    return {**content, **_usage(view)}


def _usage(view: SpanView) -> dict[str, Any]:
    metrics, realtime = view.json("lk.llm_metrics"), view.json("lk.realtime_model_metrics")
    is_call = view.name in _CALLS or isinstance(realtime, dict)
    if is_call and view.get("gen_ai.usage.input_tokens") == 0 == view.get("gen_ai.usage.output_tokens"):
        return {"without_usage": True}
    if isinstance(realtime, dict):
        return {field: _at(realtime, *path) for field, path in _IN_REALTIME_METRICS.items()}
    if isinstance(metrics, dict):
        return {field: metrics.get(name) or None for field, name in _IN_METRICS.items()}
    return {}


def _at(value: Any, *path: str) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _llm_node(view: SpanView) -> dict[str, Any]:
    answer, calls = said_text(view, *_both("response.text")), said(view, *_both("response.function_calls"))
    spoken = {"role": "assistant", "content": answer, "tool_calls": [_call(call) for call in _list(calls)]}
    return {
        "kind": None if view.get("gen_ai.operation.name") else "CHAIN",
        "input": canonical_messages(_chat(said(view, *_both("chat_ctx"))), "user"),
        "output": canonical_messages([spoken], "assistant") if answer or calls else None,
    }


def _chat(context: Any) -> list[dict[str, Any]]:
    """The items of a chat context: messages, calls of functions, and what they returned; other items are none of it."""
    items = _list(context.get("items") if isinstance(context, dict) else context)
    messages = []
    for item in items:
        if not isinstance(item, dict):
            continue
        match item.get("type"):
            case "message":
                messages.append({"role": item.get("role"), "content": item.get("content")})
            case "function_call":
                messages.append({"role": "assistant", "content": None, "tool_calls": [_call(item)]})
            case "function_call_output":
                messages.append({"role": "tool", "tool_call_id": item.get("call_id"), "content": item.get("output")})
    return messages


def _call(item: Any) -> dict[str, Any]:
    call = item if isinstance(item, dict) else {}
    return {"id": call.get("call_id"), "function": {"name": call.get("name"), "arguments": call.get("arguments")}}


def _tool(view: SpanView) -> dict[str, Any]:
    given = said(view, "gen_ai.tool.call.arguments", *_both("function_tool.arguments"))
    return {"input": given, "output": said(view, "gen_ai.tool.call.result", *_both("function_tool.output"))}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


DIALECT = Dialect(
    name="livekit",
    scopes=("livekit-agents", "livekit.*"),
    markers=("lk.*",),
    kinds_of_names={
        "agent_session": "CHAIN",
        "session_start": "CHAIN",
        "start_agent_activity": "CHAIN",
        "drain_agent_activity": "CHAIN",
        "agent_turn": "AGENT",
        "assistant_turn": "AGENT",
        "realtime_assistant_turn": "AGENT",
        "user_turn": "CHAIN",
        "function_tool": "TOOL",
        "judge_evaluation": "EVALUATOR",
        "realtime_metrics": "LLM",
    },
    text={
        "session_id": ("gen_ai.conversation.id", "lk.room_sid", "lk.job_id"),
        "agent_name": ("gen_ai.agent.name", "lk.agent_name", "lk.agent_label"),
        "tool_name": ("gen_ai.tool.name", "lk.function_tool.name"),
        "tool_call_id": ("gen_ai.tool.call.id", "lk.function_tool.id"),
        "error_type": ("error.type", "exception.type"),
    },
    tokens={
        "cache_read_tokens": ("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.input_cached_tokens"),
        "reasoning_tokens": ("gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens"),
        "input_audio_tokens": ("gen_ai.usage.audio.input_tokens", "gen_ai.usage.input_audio_tokens"),
        "output_audio_tokens": ("gen_ai.usage.audio.output_tokens", "gen_ai.usage.output_audio_tokens"),
    },
    seconds={"time_to_first_token_ns": ("gen_ai.response.time_to_first_chunk", "lk.response.ttft", "lk.response.ttfb")},
    read=read,
)
