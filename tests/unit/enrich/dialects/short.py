"""What tests compare of rows, in short: some columns of a row where `expected` has all of them, and messages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from collector.enrich.rows import CONTENTS, TOKENS
from collector.json_text import json_value


def columns(row: dict[str, Any], *names: str) -> tuple[Any, ...]:
    """Return some columns of a row."""
    return tuple(row[name] for name in names)


def identity(row: dict[str, Any]) -> tuple[Any, ...]:
    """Return dialect, kind, operation, provider, request model and response model."""
    return columns(row, "dialect", "kind", "operation", "provider", "request_model", "response_model")


def usage(row: dict[str, Any]) -> dict[str, int]:
    """Return the token counts of a row, those that it has."""
    return {name: row[name] for name in TOKENS if row[name] is not None}


def cost(row: dict[str, Any]) -> tuple[str | None, str]:
    """Return the cost in USD as digits, and where it comes from."""
    total = row["cost_total"]
    return None if total is None else f"{total.normalize():f}", row["cost_source"]


def content(row: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a row, that which it has; JSON parsed."""
    return {name: json_value(row[name]) for name in CONTENTS if row[name]}


def said(role: str, words: str, **more: Any) -> dict[str, Any]:
    """Return a canonical message of one text."""
    return {"role": role, "parts": [{"type": "text", "content": words}], **more}


def tool_call(call_id: str, arguments: Any, name: str = "look_up_order", **more: Any) -> dict[str, Any]:
    """Return a canonical message that calls a tool."""
    return {
        "role": "assistant",
        "parts": [{"type": "tool_call", "id": call_id, "name": name, "arguments": arguments}],
        **more,
    }


def tool_result(call_id: str, response: Any, role: str = "tool", **more: Any) -> dict[str, Any]:
    """Return a canonical message with what a tool returned."""
    return {"role": role, "parts": [{"type": "tool_call_response", "id": call_id, "response": response, **more}]}


def attributes(row: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes that stay beside the columns."""
    return {key: value for key, _, value in row["attributes"]}


def kinds(found: Iterable[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return name and kind of every row."""
    return [(row["name"], row["kind"]) for row in found]
