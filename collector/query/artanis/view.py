"""The Artanis view: a trace's row, its spans' rows and its reviews to the documented JSON objects.

Pure: rows as `collector.query.reader` describes them in, dictionaries out. The README of this folder says which span
attributes fill which field.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from collector.query.content import span_content
from collector.query.reader import Row
from collector.query.reviews import attribute, shown_output, trace_approvals, trace_feedback
from collector.query.span_ids import span_uuid
from collector.settings_attributes import Attributes

NOBODY = str(uuid.UUID(int=0))
"""Stands where the document has an id and there is none: no client fails on it, and none finds anything by it."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# What a span says of its whole trace, and the column of the trace that shows it in the metadata of the trace.
_OF_TRACE = {
    "user.id": "user_id",
    "enduser.id": "user_id",
    "session.id": "session_id",
    "gen_ai.conversation.id": "session_id",
}
_TRACE_METADATA = ("user_id", "session_id", "environment", "release", "tags", "error_count")


def trace_item(trace: Row) -> dict[str, Any]:
    """Return the TraceItem of a trace row."""
    return {
        "id": str(uuid.UUID(trace["trace_id"])),
        "status": "running" if trace["status"] in ("PENDING", "RUNNING") else "completed",
        "metadata": {column: trace[column] for column in _TRACE_METADATA if trace[column]},
        "createdAt": _timestamp(trace["start_time"]),
        "updatedAt": _timestamp(trace["end_time"] or trace["start_time"]),
    }


def trace_document(
    trace: Row, spans: Sequence[Row], feedback: Sequence[Row], approvals: Sequence[Row], attributes: Attributes
) -> dict[str, Any]:
    """Return the Trace of a trace. `spans` are ordered by start time; reviews are those given over an API."""
    approved = trace_approvals(spans, approvals, attributes)
    reviewed = trace_feedback(trace["trace_id"], spans, feedback, attributes)
    first = spans[0]["span_id"] if spans else ""
    root = span_uuid(trace["trace_id"], trace["root_span_id"] or first) or NOBODY
    return {
        **trace_item(trace),
        "spans": [_span(trace, span, approved.get(span["span_id"]), attributes) for span in spans],
        "feedback": [_feedback(row, root) for row in reviewed],
    }


def _span(trace: Row, span: Row, approval: Row | None, attributes: Attributes) -> dict[str, Any]:
    names = attributes.artanis
    step = attribute(span, names.step)
    return {
        "id": span["span_uuid"],
        "parentSpanId": span["parent_span_uuid"] or None,
        "stepId": span["name"] if step is None else str(step),
        "input": _input(span, names.input),
        "output": shown_output(span, attributes),
        "approvedOutput": None if approval is None else approval["output"],
        "promptVersionId": _prompt_version(span, names.prompt_version),
        "metadata": _metadata(trace, span, attributes),
        "createdAt": _timestamp(span["start_time"]),
    }


def _feedback(row: Row, root: str) -> dict[str, Any]:
    """Return a FeedbackItem; feedback without a comment is told in the words that there are."""
    score = "" if row["score"] is None else f"{row['score']:g}"
    return {
        "id": row["feedback_id"],
        "spanId": span_uuid(row["trace_id"], row["span_id"]) or root,
        "userId": row["user_id"] or NOBODY,
        "content": row["content"] or ", ".join(filter(None, (row["label"], score, *row["tags"]))),
        "createdAt": _timestamp(row["created_at"]),
    }


def _input(span: Row, names: Sequence[str]) -> Any:
    value = span["input"] or attribute(span, names)
    if value is None or isinstance(value, str):
        return span_content(span["kind"], value or "", "user", span["system_instructions"])
    return value


def _prompt_version(span: Row, names: Sequence[str]) -> str | None:
    """Return the id that the application gives, or one that is always the same for a version of a prompt."""
    given = attribute(span, names)
    if given is not None:
        return str(given)
    if not span["prompt_version"]:
        return None
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"spanledger:prompt:{span['prompt_name']}:{span['prompt_version']}"))


def _metadata(trace: Row, span: Row, attributes: Attributes) -> Mapping[str, Any]:
    """Return what the application calls metadata, and its attributes but for those that are shown elsewhere."""
    names, reviews = attributes.artanis, attributes.reviews
    elsewhere = {*names.step, *names.prompt_version, *reviews.approved_output, *reviews.reviewer}
    if not span["input"]:
        elsewhere.update(names.input)
    if not span["output"]:
        elsewhere.update(names.output)
    if span["metadata"]:
        elsewhere.add("metadata")
    metadata = dict(span["metadata"])
    for key, value in span["attributes"].items():
        if key not in elsewhere and not (key in _OF_TRACE and value == trace[_OF_TRACE[key]]):
            metadata[key] = value
    if span["status_code"] == "ERROR":
        metadata.setdefault("error", span["error"])
    return metadata


def _timestamp(time_ns: int) -> str:
    """Return a time in ns since 1970 as ISO 8601 in UTC, cut to milliseconds."""
    time = _EPOCH + timedelta(milliseconds=time_ns // 1_000_000)
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}Z"
