"""The forms that ids of traces and spans have in requests.

A span's UUID holds the whole span id and the first 14 digits of the trace id, so that it leads back to both; the column
`span_uuid` of the table `spans` is the same.
"""

from __future__ import annotations

import re

_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_SPAN_ID = re.compile(r"[0-9a-f]{16}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def trace_id_of(text: str) -> str | None:
    """Return the trace id (32 lowercase hex digits) that is meant: itself or a UUID with dashes; None if it is none."""
    lower = text.lower()
    if _UUID.fullmatch(lower):
        return lower.replace("-", "")
    return lower if _TRACE_ID.fullmatch(lower) else None


def span_id_of(trace_id: str, text: str) -> str | None:
    """Return the id (16 lowercase hex digits) of the span of this trace that is meant: itself or the span's UUID."""
    lower = text.lower()
    if _SPAN_ID.fullmatch(lower):
        return lower
    digits = trace_id_of(text)
    if digits is None:
        return None
    span_id = digits[15] + digits[17:]
    return span_id if span_uuid(trace_id, span_id).replace("-", "") == digits else None


def span_uuid(trace_id: str, span_id: str) -> str:
    """Return the UUID that is shown for a span; ``""`` for no span."""
    if not span_id:
        return ""
    return f"{trace_id[:8]}-{trace_id[8:12]}-4{trace_id[12:14]}{span_id[0]}-8{span_id[1:4]}-{span_id[4:]}"
