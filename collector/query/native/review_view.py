"""Rows of reviews to the JSON of our own API."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from collector.query.reader import Row
from collector.query.span_ids import span_uuid

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def feedback_document(row: Row) -> dict[str, Any]:
    """Return the FeedbackResponse of a row of feedback."""
    return {
        "feedback_id": row["feedback_id"],
        "trace_id": str(uuid.UUID(row["trace_id"])),
        "span_id": span_uuid(row["trace_id"], row["span_id"]) or None,
        "user_id": row["user_id"] or None,
        "label": row["label"] or None,
        "score": row["score"],
        "content": row["content"] or None,
        "tags": list(row["tags"]),
        "source": row["source"],
        "created_at": _timestamp(row["created_at"]),
    }


def approval_document(trace_id: str, approval: Row, own: Any) -> dict[str, Any]:
    """Return the ApprovalResponse of an approval whose output is a JSON value; `own` is the output of the span."""
    return {
        "trace_id": str(uuid.UUID(trace_id)),
        "span_id": span_uuid(trace_id, approval["span_id"]),
        "output": approval["output"],
        "accepted": approval["output"] == own,
        "user_id": approval["user_id"] or None,
        "created_at": _timestamp(approval["created_at"]),
    }


def _timestamp(time_ns: int) -> str:
    return (_EPOCH + timedelta(microseconds=time_ns // 1000)).isoformat(timespec="microseconds")
