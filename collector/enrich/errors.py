"""The error of a span: one text and one type, from its status, its attributes or its exception event."""

from __future__ import annotations

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from collector.batch import SpanBatch
from collector.enrich.fields import as_text


def error_columns(batch: SpanBatch, error_type: pa.StringArray) -> dict[str, pa.StringArray]:
    """Return `error` (text) and `error_type`, both ``""`` for a span that did not fail.

    A span failed if its status is ERROR. Its text is the status message, else the message of its last `exception` event,
    else the type. The type is the attribute `error.type`, else the type of that event.
    """
    failed = pc.equal(batch.column("status_code"), "ERROR")
    message = pc.if_else(failed, batch.column("status_message"), "")
    kind = pc.if_else(failed, error_type.fill_null(""), "")
    incomplete = pc.and_(failed, pc.or_(pc.equal(message, ""), pc.equal(kind, "")))
    rows = np.flatnonzero(incomplete.to_numpy(zero_copy_only=False))
    if len(rows):
        found = [_exception(events) for events in batch.column("events").take(pa.array(rows)).to_pylist()]
        message = _fill(message, incomplete, [text for text, _ in found])
        kind = _fill(kind, incomplete, [name for _, name in found])
    message = pc.if_else(pc.equal(message, ""), kind, message)
    return {"error": message, "error_type": kind}


def _fill(column: pa.StringArray, rows: pa.BooleanArray, values: list[str]) -> pa.StringArray:
    filled = pc.replace_with_mask(column, rows, pa.array(values, pa.string()))
    return pc.if_else(pc.equal(column, ""), filled, column)


def _exception(events: list[dict[str, str]]) -> tuple[str, str]:
    """Message and type of the last event named `exception` (OpenTelemetry semantic conventions, exceptions on spans)."""
    for event in reversed(events):
        if event["name"] == "exception":
            attributes = orjson.loads(event["attributes"])
            return as_text(attributes.get("exception.message")), as_text(attributes.get("exception.type"))
    return "", ""
