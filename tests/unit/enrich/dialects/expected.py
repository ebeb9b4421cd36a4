"""What enrichment says of a span, as tests compare it: every column at once, so that none is filled by mistake."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson

from collector.enrich.rows import CONTENTS, LISTS, OBJECTS, TEXTS, TOKENS

PARSED = (*CONTENTS, *OBJECTS)
COLUMNS = (
    "dialect", "kind", *TEXTS, *LISTS, *PARSED, *TOKENS,
    "tool_calls", "evaluations", "token_basis", "usage_problem", "cost_total", "cost_source", "cost_reported",
    "unpriced_reason", "error",
)  # fmt: skip

SYSTEM = "You are the assistant of a small shop."
QUESTION = "Where is my order A-1001?"
ANSWER = "Order A-1001 ships tomorrow."


def text(content: str) -> dict[str, str]:
    return {"type": "text", "content": content}


SYSTEM_PARTS = [text(SYSTEM)]
ASKED = [{"role": "user", "parts": [text(QUESTION)]}]
ASKED_WITH_SYSTEM = [{"role": "system", "parts": SYSTEM_PARTS}, *ASKED]
ANSWERED = [{"role": "assistant", "parts": [text(ANSWER)]}]
TOOL_CALL = {"type": "tool_call", "id": "call_lookup_1", "name": "look_up_order", "arguments": {"order_id": "A-1001"}}
CALLED = [{"role": "assistant", "parts": [TOOL_CALL]}]
CALLS = [{"id": "call_lookup_1", "name": "look_up_order", "arguments": '{"order_id":"A-1001"}'}]
ORDER = {"order": "A-1001", "status": "packed"}
SCHEMA = {"type": "object", "properties": {"order_id": {"type": "string"}}, "required": ["order_id"]}
TOOL = {"type": "function", "name": "look_up_order", "description": "Look up an order.", "parameters": SCHEMA}

GPT_4O = {"input_tokens": 100, "output_tokens": 20, "cache_read_tokens": 60, "reasoning_tokens": 5}
"""A chat of the fake model server, where all of its usage is told."""
GPT_4O_OBJECT = {**GPT_4O, "total_tokens": 120, "input_audio_tokens": 0, "output_audio_tokens": 0}
"""The same, told by the usage object of the API."""
GPT_4O_COST = {"cost_total": Decimal("0.000375"), "cost_source": "computed"}
WITHOUT_CACHE_COST = {"cost_total": Decimal("0.00045"), "cost_source": "computed"}
"""The same, where the cached tokens are not told."""
CLAUDE = {"input_tokens": 610, "output_tokens": 20, "cache_read_tokens": 500, "cache_write_tokens": 100}
CLAUDE_COST = {"cost_total": Decimal("0.000855"), "cost_source": "computed"}
REPORTED_TOO = {"cost_reported": Decimal("0.000375")}
"""The sender computes the cost itself, and comes to the same."""
EMBEDDING_COST = {"cost_total": Decimal("0.00000016"), "cost_source": "computed"}


def facts(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a row that say something; JSON is parsed."""
    found = {name: row[name] for name in COLUMNS if name in row and row[name] not in (None, "", [])}
    return {name: _parsed(value) if name in PARSED else value for name, value in found.items()}


def attribute(row: Mapping[str, Any], key: str) -> Any:
    """Return the value of an attribute that stayed one; None without it."""
    return next((value for name, _, value in row["attributes"] if name == key), None)


def reshaped(messages: Any, change: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return messages of one message each with these fields set on it."""
    return [{**message, **change} for message in messages]


def _parsed(value: str) -> Any:
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value
