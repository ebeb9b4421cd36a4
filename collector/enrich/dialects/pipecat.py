"""Pipecat (1.14 and older): voice agents.

- Bare `input`, `output` and `tools`, which are read because the scope tells whose they are.
- Usage is passed on as the provider counts it, as its own documentation says.
- `metrics.ttfb` is in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.enrich.dialects.dialect import Dialect
from collector.enrich.dialects.reading import said, said_text
from collector.enrich.messages import canonical_messages, system_parts, tool_definitions
from collector.enrich.span_view import SpanView


def read(view: SpanView) -> Mapping[str, Any]:
    """Return the content of a model call, of speech, or of what was heard."""
    match view.name:
        case "llm":
            return {
                "input": canonical_messages(said(view, "input"), "user"),
                "output": canonical_messages(said_text(view, "output"), "assistant"),
                "system_instructions": system_parts(said_text(view, "gen_ai.system_instructions")),
                "tool_definitions": tool_definitions(said(view, "tools", "tools.definitions")),
            }
        case "tts":
            return {"input": said_text(view, "text")}
        case "stt":
            return {"output": said_text(view, "transcript")}
    return {}


DIALECT = Dialect(
    name="pipecat",
    scopes=("pipecat", "pipecat.*"),
    passes_on=True,
    kinds_of_names={"conversation": "CHAIN", "turn": "CHAIN", "tts": "LLM", "stt": "LLM"},
    text={"session_id": ("gen_ai.conversation.id", "conversation.id"), "user_id": ("user_id",)},
    tokens={
        "cache_read_tokens": ("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens"),
        "cache_write_tokens": ("gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_creation_input_tokens"),
        "reasoning_tokens": ("gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens"),
    },
    seconds={"time_to_first_token_ns": ("gen_ai.response.time_to_first_chunk", "metrics.ttfb")},
    flags={"streaming": ("gen_ai.request.stream", "stream")},
    read=read,
)
