"""Sentry: the conventions, with earlier names of its own beside them.

Source: sentry-sdk 2 (`sentry_sdk/consts.py`), and the names that its SDKs wrote before they followed the conventions.

- Cached and reasoning tokens stand under the count that they are a part of: `gen_ai.usage.input_tokens.cached`.
- Since the autumn of 2025 its SDKs count cached tokens of Anthropic's as input, before they did not; the total tells.
- Messages stand among the parameters of the request: `gen_ai.request.messages`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.enrich.dialects.dialect import Dialect
from collector.enrich.dialects.indexed import conventional_messages
from collector.enrich.messages import canonical_messages, tool_definitions
from collector.enrich.parameters import PREFIX
from collector.enrich.span_view import SpanView

_NO_PARAMETERS = frozenset({"messages", "available_tools", "model", "stream"})


def read(view: SpanView) -> Mapping[str, Any]:
    """Return messages and tools under the earlier names, and the parameters without them."""
    found = conventional_messages(view)
    asked, tools = view.take("gen_ai.request.messages"), view.take("gen_ai.request.available_tools")
    if asked is not None:
        found.setdefault("input", canonical_messages(asked, "user") or asked)
    if tools is not None:
        found.setdefault("tool_definitions", tool_definitions(tools) or tools)
    answer = _answer(view)
    if answer:
        found.setdefault("output", answer)
    parameters = {key.removeprefix(PREFIX): value for key, value in view.prefixed(PREFIX) if value not in (None, "")}
    return {**found, "model_parameters": {k: v for k, v in parameters.items() if k not in _NO_PARAMETERS}}


def _answer(view: SpanView) -> list[dict[str, Any]] | None:
    """The answer as one message: its texts and its calls of tools have attributes of their own."""
    texts, calls = view.take("gen_ai.response.text"), view.take("gen_ai.response.tool_calls")
    said = [text for text in (texts if isinstance(texts, list) else [texts]) if isinstance(text, str)]
    message = {"role": "assistant", "content": [{"type": "text", "text": text} for text in said], "tool_calls": calls}
    return canonical_messages([message], "assistant") if said or calls else None


DIALECT = Dialect(
    name="sentry",
    markers=(
        "gen_ai.usage.input_tokens.cached",
        "gen_ai.usage.input_tokens.cache_write",
        "gen_ai.usage.output_tokens.reasoning",
        "gen_ai.request.available_tools",
        "gen_ai.response.text",
    ),
    kinds={"handoff": "CHAIN", "responses": "LLM", "evaluate": "EVALUATOR"},
    text={"kind_name": ("gen_ai.operation.name",), "session_id": ("gen_ai.conversation.id",)},
    content={
        "input": ("gen_ai.tool.input", "gen_ai.embeddings.input"),
        "output": ("gen_ai.tool.output",),
    },
    tokens={
        "cache_read_tokens": ("gen_ai.usage.input_tokens.cached",),
        "cache_write_tokens": ("gen_ai.usage.input_tokens.cache_write",),
        "reasoning_tokens": ("gen_ai.usage.output_tokens.reasoning",),
    },
    seconds={"time_to_first_token_ns": ("gen_ai.response.time_to_first_token",)},
    amounts={"cost_reported": ("gen_ai.cost.total_tokens",)},
    flags={"streaming": ("gen_ai.response.streaming",)},
    read=read,
)
