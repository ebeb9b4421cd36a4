"""What OpenLLMetry wrote before the conventions had messages, and others took over: indexed prompts, completions, functions.

Also messages under the conventions' own keys in another form than theirs: LiteLLM, Laminar, and applications that copy what
they sent to the provider.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from collector.enrich.messages import (
    canonical_messages,
    flattened_text,
    tool_definitions,
    traceloop_messages,
    unflatten,
)
from collector.enrich.span_view import SpanView
from collector.json_text import json_value

PROMPT, COMPLETION = "gen_ai.prompt", "gen_ai.completion"
INPUT, OUTPUT, DEFINITIONS = "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.tool.definitions"
FUNCTIONS = ("llm.request.functions", "gen_ai.tool")
"""Arrays of the tools that were offered: of OpenLLMetry, and of LiteLLM."""

_CANONICAL = re.compile(r'\[\s*\{\s*"role"\s*:\s*"\w+"\s*,\s*"parts"\s*:\s*\[')
_MOST_ELEMENTS = 16_384


def indexed_messages(view: SpanView) -> dict[str, Any]:
    """Return the messages of indexed prompts and completions, why the model stopped, and the tools that it was offered."""
    found: dict[str, Any] = {}
    for name, prefix, role in (("input", PROMPT, "user"), ("output", COMPLETION, "assistant")):
        array = view.arrays.get(prefix)
        text = flattened_text(*array, prefix, traceloop_messages, role) if array else None
        if array and text is not None:
            found[name] = text
            view.moved.update(array[0])
    if COMPLETION in view.arrays:
        keys, values = view.arrays[COMPLETION]
        reasons = [value for key, value in zip(keys, values, strict=True) if key.endswith(".finish_reason") and value]
        found["finish_reasons"] = [reason for reason in reasons if isinstance(reason, str)] or None
    for prefix in FUNCTIONS:
        if prefix in view.arrays and "tool_definitions" not in found:
            found.update(_functions(view, prefix))
    return found


def _functions(view: SpanView, prefix: str) -> dict[str, Any]:
    keys, values = view.arrays[prefix]
    definitions = tool_definitions(unflatten(zip(keys, values, strict=True), prefix, limit=_MOST_ELEMENTS))
    if definitions:
        view.moved.update(keys)
    return {"tool_definitions": definitions} if definitions else {}


def conventional_messages(view: SpanView, *, closely: bool = False) -> dict[str, Any]:
    """Return what stands under the conventions' keys, where it is in another form than theirs.

    What begins as the conventions say is left to the table of keys, unless it is to be looked at `closely`: senders may
    put calls of tools beside the parts of a message.
    """
    found: dict[str, Any] = {}
    for name, key, role in (("input", INPUT, "user"), ("output", OUTPUT, "assistant")):
        value = view.get(key)
        if value is None or (isinstance(value, str) and not closely and _CANONICAL.match(value)):
            continue
        messages = canonical_messages(view.json(key), role)
        if messages:
            found[name] = messages
            view.moved.add(key)
    if "output" in found and view.get("gen_ai.response.finish_reasons") is None:
        reasons = [message.get("finish_reason") for message in found["output"]]
        found["finish_reasons"] = [reason for reason in reasons if reason] or None
    definitions = view.get(DEFINITIONS)
    if definitions is not None:
        parsed = _definitions(definitions) if isinstance(definitions, str) else tool_definitions(definitions)
        if parsed:
            found["tool_definitions"] = parsed
            view.moved.add(DEFINITIONS)
    return found


@lru_cache(maxsize=128)
def _definitions(text: str) -> list[dict[str, Any]] | None:
    return tool_definitions(json_value(text))


def operation_of_completion(view: SpanView) -> str | None:
    """Return the operation of a call whose type is `completion`, which says no more than that it is no embedding."""
    if view.get("gen_ai.operation.name") is not None:
        return None
    keys, _ = view.arrays.get(PROMPT, ((), ()))
    return "chat" if any(key.endswith(".role") for key in keys) else "text_completion"


def said(found: Mapping[str, Any], name: str) -> int:
    """Return how many messages a content field holds; 0 for none."""
    value = found.get(name)
    value = json_value(value) if isinstance(value, str) else value
    return len(value) if isinstance(value, list) else 0
