"""The span attributes that are configured for what OpenTelemetry has no word for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from collector.query.reader import Row


def attribute(span: Row, names: Sequence[str]) -> Any:
    """Return the value of the first of these attributes that the span has, as it was sent; None if it has none."""
    attributes = span["attributes"]
    return next((attributes[name] for name in names if attributes.get(name) not in (None, "")), None)


def text_attribute(span: Row, names: Sequence[str]) -> str | None:
    """Return the same as text: a string itself, an integer in digits; None for anything else."""
    attributes = span["attributes"]
    for name in names:
        value = attributes.get(name)
        if (isinstance(value, str) and value) or (isinstance(value, int) and not isinstance(value, bool)):
            return str(value)
    return None
