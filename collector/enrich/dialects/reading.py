"""What the readers of several dialects share: content under the conventions' keys, documents, counts, versions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from collector.enrich.messages import canonical_messages, system_parts, tool_definitions
from collector.enrich.span_view import SpanView

PLACEHOLDERS = frozenset({"N/A", "<REDACTED>", "[REDACTED]", "<elided>", "<not serializable>", "<not specified>"})
"""What senders write where content was not to be recorded, or there is none."""

_CONVENTIONAL: tuple[tuple[str, str, Callable[[Any], Any]], ...] = (
    ("input", "gen_ai.input.messages", lambda value: canonical_messages(value, "user")),
    ("output", "gen_ai.output.messages", lambda value: canonical_messages(value, "assistant")),
    ("system_instructions", "gen_ai.system_instructions", system_parts),
    ("tool_definitions", "gen_ai.tool.definitions", tool_definitions),
)


def said(view: SpanView, *keys: str) -> Any:
    """Return the first value that is no placeholder, parsed, and mark its attribute as moved into a content column."""
    for key in keys:
        if view.attributes.get(key) not in (None, "", *PLACEHOLDERS):
            return view.take(key)
    return None


def said_text(view: SpanView, *keys: str) -> str | None:
    """Return the first text that is no placeholder, as it is, and mark its attribute as moved into a content column."""
    for key in keys:
        if (text := view.text(key)) and text not in PLACEHOLDERS:
            view.moved.add(key)
            return text
    return None


def conventional_content(view: SpanView) -> dict[str, Any]:
    """Return what stands under the conventions' own keys in canonical form, for senders that write another form there."""
    found = {}
    for name, key, convert in _CONVENTIONAL:
        value = view.json(key)
        if value is not None and (converted := convert(value)):
            found[name] = converted
            view.moved.add(key)
    return found


def finish_reasons(messages: Any) -> list[str] | None:
    """Return why the model stopped, as the messages that it answered say it."""
    reasons = [m.get("finish_reason") for m in messages or () if isinstance(m, Mapping)]
    return [reason for reason in reasons if isinstance(reason, str) and reason] or None


def count(value: Any) -> int | None:
    """Return a value that is a number of tokens; None for any other."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def version(text: str) -> tuple[int, ...]:
    """Return the leading numbers of a version, empty for none: "2.13.0b1" is (2, 13, 0)."""
    match = re.match(r"v?(\d{1,6}(?:\.\d{1,6}){0,5})", text)
    return tuple(map(int, match[1].split("."))) if match else ()
