"""Storing what people think of traces: rows that replace earlier ones, never changed in place.

The latest row counts, so a new one is always later than the one that it replaces, also after the clock was set back.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import pyarrow as pa

from collector.errors import Permanent
from exporters.clickhouse.arrow import command, insert, query
from exporters.clickhouse.tombstones import TRACE
from exporters.clickhouse.writing import Writing

_TIME = pa.timestamp("us", "UTC")
_FEEDBACK = pa.schema(
    {
        **dict.fromkeys(("project", "trace_id", "feedback_id", "span_id", "user_id", "label"), pa.string()),
        "score": pa.float64(),
        "content": pa.string(),
        "tags": pa.list_(pa.string()),
        "source": pa.string(),
        "created_at": _TIME,
        "removed": pa.bool_(),
        "updated_at": _TIME,
    }
)
_APPROVALS = pa.schema(
    {
        **dict.fromkeys(("project", "trace_id", "span_id", "output", "user_id"), pa.string()),
        "created_at": _TIME,
    }
)

# Feedback of which there is no row is as good as removed.
_NEVER = {"created_at": 0, "updated_at": 0, "removed": True}


class ReviewEdits:
    """The part of `collector.query.editor.Editor` that stores reviews. Methods raise `Retryable` or `Permanent`."""

    def __init__(self, writing: Writing) -> None:
        self._writing = writing

    def add_feedback(self, project: str, feedback: Sequence[Any]) -> Sequence[Any]:
        """Store feedback, and return it with the time at which it was first given; of one id, the last counts."""
        latest = {(each.trace_id, each.feedback_id): each for each in feedback}
        if not latest:
            return []
        with self._writing.lock:
            self._refuse_deleted(project, [trace_id for trace_id, _ in latest])
            stored = self._stored(project, list(latest))
            kept, rows = [], []
            for key, each in latest.items():
                before = stored.get(key, _NEVER)
                updated_at = _later_than(before["updated_at"])
                created_at = each.created_at // 1000 or updated_at
                if not before["removed"]:
                    created_at = before["created_at"]
                kept.append(replace(each, created_at=created_at * 1000))
                times = {"created_at": created_at, "updated_at": updated_at}
                rows.append({**asdict(each), **times, "project": project, "removed": False})
            with self._writing.handle.doing("storing feedback in ClickHouse") as connection:
                insert(connection, "insert_feedback.sql", pa.Table.from_pylist(rows, _FEEDBACK), {})
        return kept

    def remove_feedback(self, project: str, trace_id: str, feedback_id: str) -> bool:
        """Take feedback back, with all that it says; return whether there was any."""
        with self._writing.lock:
            before = self._stored(project, [(trace_id, feedback_id)]).get((trace_id, feedback_id), _NEVER)
            if before["removed"]:
                return False
            values = {"project": project, "trace_id": trace_id, "feedback_id": feedback_id}
            with self._writing.handle.doing("removing feedback from ClickHouse") as connection:
                parameters = {**values, "updated_at": _later_than(before["updated_at"])}
                command(connection, "remove_feedback.sql", parameters)
        return True

    def set_approval(self, project: str, approval: Any) -> Any:
        """Store the approved output of a span, and return it with its time; the same again changes nothing."""
        values = {"project": project, "trace_id": approval.trace_id, "span_id": approval.span_id}
        with self._writing.lock:
            self._refuse_deleted(project, [approval.trace_id])
            with self._writing.handle.doing("reading approvals in ClickHouse") as connection:
                found = query(connection, "stored_approval.sql", values).to_pylist()
            before: Mapping[str, Any] = found[0] if found else {"created_at": 0}
            if found and (before["output"], before["user_id"]) == (approval.output, approval.user_id):
                return replace(approval, created_at=before["created_at"] * 1000)
            created_at = max(approval.created_at // 1000, _later_than(before["created_at"]))
            row = {**asdict(approval), "created_at": created_at, "project": project}
            with self._writing.handle.doing("storing an approval in ClickHouse") as connection:
                insert(connection, "insert_approvals.sql", pa.Table.from_pylist([row], _APPROVALS), {})
        return replace(approval, created_at=created_at * 1000)

    def _refuse_deleted(self, project: str, trace_ids: Sequence[str]) -> None:
        """Raise `Permanent` if a trace has been deleted since whoever reviews it saw it."""
        deleted = self._writing.deleting.tombstones.among(project, TRACE, pa.array(trace_ids, pa.string()))["id"]
        if len(deleted):
            raise Permanent(f"the trace {deleted[0].as_py()} was deleted: what is thought of it is not kept")

    def _stored(self, project: str, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Mapping[str, Any]]:
        """Return of the rows under these trace ids and feedback ids their times (us since 1970) and whether removed."""
        trace_ids, feedback_ids = (sorted(set(ids)) for ids in zip(*keys, strict=True))
        values = {"project": project, "trace_ids": trace_ids, "feedback_ids": feedback_ids}
        with self._writing.handle.doing("reading feedback in ClickHouse") as connection:
            rows = query(connection, "stored_feedback.sql", values).to_pylist()
        return {(row["trace_id"], row["feedback_id"]): row for row in rows}


def _later_than(updated_at: int) -> int:
    """Return now, or the moment after this if the clock has not come so far; both in us since 1970."""
    return max(time.time_ns() // 1000, updated_at + 1)
