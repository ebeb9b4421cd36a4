"""JSON text to values and back, whatever applications wrote into it: nothing here raises on what it is given.

What applications put into spans is not under our control: numbers beyond 64 bits, halves of surrogate pairs, NaN,
thousands of nested lists. None of it may turn a readable trace into an error.
"""

from __future__ import annotations

import json
from typing import Any

import orjson
from pydantic_core import from_json

MAX_DEPTH = 200
"""Levels of nesting that are shown as JSON; deeper values are shown as text. Parsers commonly stop somewhere above."""

JSON_MEDIA_TYPE = "application/json"

# For the texts that pydantic's parser, two to three times as fast, refuses: Python programs write NaN and Infinity into
# what they call JSON (these become strings), and JavaScript programs cut surrogate pairs in half.
_LENIENT = json.JSONDecoder(parse_constant=str)


def json_value(text: str) -> Any:
    """Return the JSON value that `text` is, or `text` itself if it is none or nests deeper than can be shown."""
    # Both parsers keep integers exact at any size, which orjson does not.
    try:
        value = from_json(text, allow_inf_nan=False, cache_strings="keys")
    except (ValueError, TypeError):
        try:
            value = _LENIENT.decode(text)
        except (ValueError, RecursionError):
            return text
    # Counting brackets is cheap and rules out almost every text.
    if text.count("[") + text.count("{") > MAX_DEPTH and _nests_deeper(value, MAX_DEPTH):
        return text
    return value


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
        return without_lone_surrogates(value)
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return orjson.Fragment(str(value))
    if isinstance(value, dict | list | tuple):
        if depth == MAX_DEPTH:
            return without_lone_surrogates(_as_text(value))
        if isinstance(value, dict):
            return {without_lone_surrogates(str(k)): _representable(v, depth + 1) for k, v in value.items()}
        return [_representable(item, depth + 1) for item in value]
    return value


def without_lone_surrogates(text: str) -> str:
    """Return the text with surrogate pairs joined and lone halves replaced by U+FFFD: UTF-8 has no form for them."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _as_text(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except RecursionError:
        return "[nested too deeply to be shown]"


def _nests_deeper(value: Any, levels: int) -> bool:
    """Say whether lists and objects nest more than `levels` deep. Goes level by level, so it never recurses."""
    layer = [value]
    for _ in range(levels + 1):
        containers = [each for each in layer if isinstance(each, dict | list)]
        if not containers:
            return False
        layer = [child for each in containers for child in (each.values() if isinstance(each, dict) else each)]
    return True
