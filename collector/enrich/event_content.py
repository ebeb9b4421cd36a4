"""Content in events: where the conventions put messages before they were attributes, and some still do.

Sources: the GenAI conventions up to 1.27 (``gen_ai.content.prompt`` and ``.completion``), up to 1.36 (an event for each
message, ``gen_ai.user.message`` ... ``gen_ai.choice``) and now (``gen_ai.client.inference.operation.details``). Strands,
Azure AI, Semantic Kernel, LangSmith, Spring AI and older OpenLIT write one of these on the span; others as log records, of
which `event_logs` takes care.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from collector.batch import SpanBatch
from collector.enrich.messages import canonical_messages, system_parts, tool_definitions
from collector.enrich.span_view import SpanView
from collector.json_text import json_value

DETAILS = "gen_ai.client.inference.operation.details"
CHOICE = "gen_ai.choice"
ROLES = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
PROMPT, COMPLETION = "gen_ai.content.prompt", "gen_ai.content.completion"
NAMES = pa.array([DETAILS, CHOICE, *ROLES, PROMPT, COMPLETION])

DETAILS_FIELDS: Mapping[str, tuple[str, Callable[[Any], list[Any] | None]]] = {
    "input": ("gen_ai.input.messages", lambda value: canonical_messages(value, "user")),
    "output": ("gen_ai.output.messages", lambda value: canonical_messages(value, "assistant")),
    "system_instructions": ("gen_ai.system_instructions", system_parts),
    "tool_definitions": ("gen_ai.tool.definitions", tool_definitions),
}
"""Content field -> the attribute of `DETAILS` that holds it, and what makes it canonical."""


def rows_with_content_events(batch: SpanBatch) -> npt.NDArray[np.int64]:
    """Return the rows that have an event with content, ascending."""
    events = batch.column("events")
    flat = events.flatten()
    if not len(flat):
        return np.empty(0, np.int64)
    marked = pc.is_in(flat.field("name"), value_set=NAMES).to_numpy(zero_copy_only=False)
    if not marked.any():
        return np.empty(0, np.int64)
    row = np.repeat(np.arange(len(events)), np.diff(events.offsets.to_numpy()))
    return np.unique(row[marked])


def read_content_events(view: SpanView) -> Mapping[str, Any]:
    """Return the content fields that the span's events hold. The last event of a kind that states the whole wins."""
    found: dict[str, Any] = {}
    spoken: list[dict[str, Any]] = []
    answered: list[dict[str, Any]] = []
    for name, _, attributes in view.events:
        if name == DETAILS:
            found.update(_details(attributes))
        elif name == PROMPT:
            spoken += _messages(attributes.get("gen_ai.prompt"), "user")
        elif name == COMPLETION:
            answered += _messages(attributes.get("gen_ai.completion"), "assistant")
        elif name == CHOICE:
            answered += choice(_body(attributes))
        elif name in ROLES:
            spoken += message(_body(attributes), ROLES[name])
    if spoken:
        found.setdefault("input", spoken)
    if answered:
        found.setdefault("output", answered)
        reasons = [message["finish_reason"] for message in answered if message.get("finish_reason")]
        found["finish_reasons"] = reasons or None
    return found


def _details(attributes: Mapping[str, Any]) -> dict[str, Any]:
    fields = DETAILS_FIELDS.items()
    return {name: read(value) for name, (key, read) in fields if (value := _parsed(attributes.get(key)))}


def _body(attributes: Mapping[str, Any]) -> Any:
    """What a log record has as its body: on a span it is in an attribute of Azure's, or its parts are attributes themselves."""
    body = _parsed(attributes.get("gen_ai.event.content"))
    if body is None:
        return {key: _parsed(value) for key, value in attributes.items() if not key.startswith("gen_ai.")}
    return body


def message(body: Any, role: str) -> list[dict[str, Any]]:
    """Return the one message, of this role, that an event of `ROLES` stands for; none if its body is nothing like one."""
    return canonical_messages({"role": role, **body} if isinstance(body, dict) else body, role) or []


def choice(body: Any) -> list[dict[str, Any]]:
    """Return the message that an event `CHOICE` stands for; OpenLLMetry puts its tool calls beside it."""
    if not isinstance(body, dict):
        return message(body, "assistant")
    said = body.get("message", body)
    if isinstance(said, dict) and "tool_calls" in body:
        said = {"tool_calls": body["tool_calls"], **said}
    reason = body.get("finish_reason")
    return [{**each, "finish_reason": reason} if reason else each for each in message(said, "assistant")]


def _messages(value: Any, role: str) -> list[dict[str, Any]]:
    return (canonical_messages(_parsed(value), role) or []) if value not in (None, "") else []


def _parsed(value: Any) -> Any:
    return json_value(value) if isinstance(value, str) and value else value or None
