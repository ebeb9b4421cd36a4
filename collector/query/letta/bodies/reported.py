"""The provider's bodies where a span carries them whole.

They stand in attributes that the configuration names, or where OpenInference's instrumentations of provider clients put
them: `input.value` and `output.value`. Those of frameworks hold the framework's own objects there, and are none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from collector.json_text import json_value
from collector.query.reader import Row

Body = Mapping[str, Any]

_ASKED = ("messages", "input", "contents", "prompt")
_MODELS = ("model", "modelId")
_ANSWERED = ("choices", "content", "candidates", "output")
_OF_ANSWERS = ("id", "model", "usage", "stop_reason", "stopReason", "usageMetadata", "usage_metadata", "responseId")


def reported_request(row: Row, names: Sequence[str]) -> Body | None:
    """Return the request that a span carries; None if it carries none. `names` are the configured attributes."""
    return _configured(row, names) or _recognised(row, "input.value", _is_request)


def reported_response(row: Row, names: Sequence[str]) -> Body | None:
    """Return the response that a span carries; None if it carries none. `names` are the configured attributes."""
    return _configured(row, names) or _recognised(row, "output.value", _is_response)


def _configured(row: Row, names: Sequence[str]) -> Body | None:
    """Return what the first of these attributes holds; what is no JSON object stands inside one, as in Letta's own store."""
    value = next((row["attributes"][name] for name in names if name in row["attributes"]), None)
    if isinstance(value, str):
        text, value = value, json_value(value)
        if isinstance(value, str) and value == text:
            return {"_raw": text} if text else None
    if value is None:
        return None
    return value if isinstance(value, dict) else {"_value": value}


def _recognised(row: Row, name: str, is_body: Callable[[Body], bool]) -> Body | None:
    value = row["attributes"].get(name)
    if isinstance(value, str):
        value = json_value(value) if value.startswith("{") else None
    return value if isinstance(value, dict) and is_body(value) else None


def _is_request(value: Body) -> bool:
    return any(isinstance(value.get(name), str) for name in _MODELS) and any(name in value for name in _ASKED)


def _is_response(value: Body) -> bool:
    answer = next((value[name] for name in _ANSWERED if name in value), None)
    # A streamed answer that an instrumentation put together may have nothing but its choices.
    return isinstance(answer, list | dict) and ("choices" in value or any(name in value for name in _OF_ANSWERS))
