"""Any Python value to JSON bytes that every client can parse.

What applications put into spans is not under our control: numbers beyond 64 bits, halves of surrogate pairs, NaN,
thousands of nested lists. None of it may turn a readable trace into an error.
"""

from __future__ import annotations

import json
from typing import Any

import orjson

MAX_DEPTH = 200
"""Levels of nesting that are shown as JSON; deeper values are shown as text. Parsers commonly stop somewhere above."""

JSON_MEDIA_TYPE = "application/json"


def render(document: Any) -> bytes:
    """Return the JSON text of `document` as UTF-8. NaN and infinities become null; integers are exact at any size."""
    try:
        return orjson.dumps(document, default=str)
    except TypeError:
        # Rare, so only then is every value looked at, instead of on every request.
        return orjson.dumps(_representable(document, 0), default=str)


def _representable(value: Any, depth: int) -> Any:
    """Return `value` with everything replaced that orjson refuses."""
    if isinstance(value, str):
        return _without_lone_surrogates(value)
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return orjson.Fragment(str(value))
    if isinstance(value, dict | list | tuple):
        if depth == MAX_DEPTH:
            return _without_lone_surrogates(_as_text(value))
        if isinstance(value, dict):
            return {_without_lone_surrogates(str(k)): _representable(v, depth + 1) for k, v in value.items()}
        return [_representable(item, depth + 1) for item in value]
    return value


def _without_lone_surrogates(text: str) -> str:
    """Return the text with surrogate pairs joined and lone halves replaced by U+FFFD: UTF-8 has no form for them."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _as_text(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except RecursionError:
        return "[nested too deeply to be shown]"
