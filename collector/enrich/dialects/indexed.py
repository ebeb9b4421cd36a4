"""What OpenLLMetry wrote before the conventions had messages, and others took over: indexed prompts, completions, functions.

Also messages under the conventions' own keys in another form than theirs: LiteLLM, Laminar, and applications that copy what
they sent to the provider.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from collector.enrich.messages import (
    canonical_messages,
    flattened_text,
    system_parts,
    tool_definitions,
    traceloop_messages,
    unflatten,
)
from collector.enrich.span_view import SpanView
from collector.json_text import json_value

PROMPT, COMPLETION = "gen_ai.prompt", "gen_ai.completion"
INPUT, OUTPUT = "gen_ai.input.messages", "gen_ai.output.messages"
INSTRUCTIONS, DEFINITIONS = "gen_ai.system_instructions", "gen_ai.tool.definitions"
FUNCTIONS = ("llm.request.functions", "gen_ai.tool")
"""Arrays of the tools that were offered: of OpenLLMetry, and of LiteLLM."""

_CANONICAL = re.compile(r'\[\s*\{\s*"role"\s*:\s*"\w+"\s*,\s*"parts"\s*:\s*\[')
_CANONICAL_PART = re.compile(r'\[\s*\{\s*"type"\s*:\s*"text"\s*,\s*"content"\s*:')
_MOST_ELEMENTS = 16_384
LONGEST_REMEMBERED = 20_000
"""Characters of definitions of tools that are remembered, so that they are read once and not for every call."""


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
        if closely or not _begins(view, key, _CANONICAL):
            found[name] = _converted(view, key, lambda value, role=role: canonical_messages(value, role))  # type: ignore[misc]
    if not _begins(view, INSTRUCTIONS, _CANONICAL_PART):
        found["system_instructions"] = _converted(view, INSTRUCTIONS, system_parts)
    found["tool_definitions"] = _offered(view)
    answered = found.get("output")
    if answered and view.get("gen_ai.response.finish_reasons") is None:
        reasons = [message.get("finish_reason") for message in answered]
        found["finish_reasons"] = [reason for reason in reasons if isinstance(reason, str)] or None
    return {name: value for name, value in found.items() if value is not None}


def _begins(view: SpanView, key: str, form: re.Pattern[str]) -> bool:
    value = view.attributes.get(key)
    return isinstance(value, str) and form.match(value) is not None


def _converted(view: SpanView, key: str, convert: Callable[[Any], list[dict[str, Any]] | None]) -> Any:
    value = view.json(key)
    converted = None if value is None else convert(value) or None
    if converted is not None:
        view.moved.add(key)
    return converted


def _offered(view: SpanView) -> list[dict[str, Any]] | None:
    value = view.get(DEFINITIONS)
    if not isinstance(value, str) or len(value) > LONGEST_REMEMBERED:
        return _converted(view, DEFINITIONS, tool_definitions)  # type: ignore[no-any-return]
    definitions = remembered_definitions(value)
    if definitions:
        view.moved.add(DEFINITIONS)
    return definitions or None


@lru_cache(maxsize=256)
def remembered_definitions(text: str) -> list[dict[str, Any]] | None:
    """Return the definitions of tools in a JSON text of at most `LONGEST_REMEMBERED` characters."""
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
