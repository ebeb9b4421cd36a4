"""Messages of every form met in the field, as the one canonical JSON of the OpenTelemetry GenAI semantic conventions.

    [{"role": "user", "parts": [{"type": "text", "content": "Hi"}], "name"?: ..., "finish_reason"?: ...}]

Nothing is guessed by sender: forms are told apart by their fields, so that messages that travel through several
libraries, each with its own, come out alike. Nothing that is said is lost: what a part or a message has besides the canonical
fields stays on it under its own name, and a part of an unknown type stays as it is. Nothing here raises on a JSON value.
"""

from __future__ import annotations

from typing import Any

import orjson

from collector.enrich.messages.conversation import conversation, system_parts
from collector.enrich.messages.flattened import openinference_messages, traceloop_messages, unflatten
from collector.enrich.messages.message import Message, is_canonical_message
from collector.enrich.messages.tools import tool_definitions
from collector.json_text import json_value, render

__all__ = [
    "canonical_messages",
    "canonical_text",
    "openinference_messages",
    "system_parts",
    "tool_definitions",
    "traceloop_messages",
    "unflatten",
]


def canonical_messages(value: Any, default_role: str) -> list[Message] | None:
    """Return the messages that the JSON value is or holds, in canonical form; None if it is nothing like messages.

    `default_role` is whose words they are where nothing says it. A plain text is one message.
    """
    return conversation(value, default_role)


def canonical_text(text: str, default_role: str) -> str:
    """Return the JSON text of the canonical messages that `text` is or holds; `text` itself if it is canonical or none."""
    try:
        value = orjson.loads(text)  # several times as fast as the parser that keeps integers exact at any size
    except orjson.JSONDecodeError:
        value = None
    if isinstance(value, list) and value and all(map(is_canonical_message, value)):
        return text
    messages = conversation(json_value(text), default_role)
    return render(messages).decode() if messages else text
