"""Stored values to the small messages that everything else is made of: attribute values, times, money."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from collector.json_text import render, without_lone_surrogates
from collector.query.grpc.traces_pb2 import Value

MAX_DEPTH = 16
"""Levels of lists and objects in a `Value`. Parsers read 100 levels of messages; an object takes three of them."""

_BYTES, _DOUBLE = "bytesValue", "doubleValue"


def set_values(target: Any, values: Mapping[str, Any]) -> None:
    """Fill a ``map<string, Value>``."""
    for key, value in values.items():
        set_value(target[_text(key)], value)


def set_value(target: Value, value: Any, depth: int = 0) -> None:
    """Fill a `Value` with a stored value; None leaves it empty.

    What JSON has no word for is stored as OTLP/JSON writes it (`collector.decode.values`), and becomes again what it was.
    An integer beyond 64 bits, and what nests deeper than `MAX_DEPTH`, becomes its JSON text.
    """
    match value:
        case str():
            target.string_value = _text(value)
        case bool():
            target.bool_value = value
        case int() if -(2**63) <= value < 2**63:
            target.int_value = value
        case float():
            target.double_value = value
        case dict() | list() if depth < MAX_DEPTH:
            _set_members(target, value, depth + 1)
        case None:
            pass
        case _:
            target.string_value = render(value).decode()


def _set_members(target: Value, value: dict[str, Any] | list[Any], depth: int) -> None:
    if isinstance(value, list):
        target.array_value.SetInParent()
        for member in value:
            set_value(target.array_value.values.add(), member, depth)
    elif not _set_wrapped(target, value):
        target.kvlist_value.SetInParent()
        for key, member in value.items():
            set_value(target.kvlist_value.values[_text(key)], member, depth)


def _set_wrapped(target: Value, value: Mapping[str, Any]) -> bool:
    """Fill in bytes or a double that JSON cannot write; return whether the object was one."""
    if len(value) != 1:
        return False
    ((key, content),) = value.items()
    if key == _DOUBLE and content in ("NaN", "Infinity", "-Infinity"):
        target.double_value = float(content)
        return True
    if key == _BYTES and isinstance(content, str):
        try:
            target.bytes_value = base64.b64decode(content, validate=True)
        except (binascii.Error, ValueError):
            return False
        return True
    return False


def set_time(target: Timestamp, time_ns: int | None) -> None:
    """Fill in a time in ns since 1970; None leaves the field unset."""
    if time_ns is not None:
        target.SetInParent()  # also where every field is 0
        target.seconds, target.nanos = divmod(time_ns, 1_000_000_000)


def set_duration(target: Duration, duration_ns: int | None) -> None:
    """Fill in a duration of 0 ns or more; None leaves the field unset."""
    if duration_ns is not None:
        target.SetInParent()
        target.seconds, target.nanos = divmod(duration_ns, 1_000_000_000)


def amount(money: Decimal) -> str:
    """Return an amount in plain notation, without zeros at the end."""
    text = f"{money:f}"
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


def _text(text: str) -> str:
    return without_lone_surrogates(text)
