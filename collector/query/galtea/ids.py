"""The ids that Galtea shows for spans, and those that it understands.

A span is shown as ``trace_`` and its span id: that is what Galtea's own packages call the spans that they send, and so the
name under which an application knows them. Span ids are unique only within their trace, though random, so the form with
the UUID of the span is understood too, which holds the beginning of the trace id as well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from collector.query.reader import Row

PREFIX = "trace_"

_SPAN_ID = re.compile(r"[0-9a-f]{16}")
_UUID = re.compile(r"([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})")


def shown_id(span_id: str) -> str | None:
    """Return the id of a span as it is shown; None for no span."""
    return f"{PREFIX}{span_id}" if span_id else None


def asked(ids: Sequence[str]) -> dict[str, Any] | None:
    """Return the filters (see `collector.query.reader.SpanFilters`) that find these; None if some are of another form."""
    plain = [each.removeprefix(PREFIX).lower() for each in ids]
    if all(map(_SPAN_ID.fullmatch, plain)):
        return {"span_ids": tuple(plain)}
    uuids = [_UUID.fullmatch(each) for each in plain]
    return None if None in uuids else {"span_uuids": tuple("-".join(uuid.groups()) for uuid in uuids if uuid)}


def is_called(span: Row, asked_id: str) -> bool:
    """Whether a span is what an id of either form asks for."""
    plain = asked_id.removeprefix(PREFIX).lower()
    return plain.replace("-", "") in (span["span_id"], span["span_uuid"].replace("-", ""))
