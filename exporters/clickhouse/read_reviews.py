"""Reading what people think of traces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from exporters.clickhouse.client import Readers
from exporters.clickhouse.connection import statement

Row = Mapping[str, Any]


class ReviewReads:
    """Implements `collector.query.reader.ReviewReader`; may be used by many threads."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers
        self._feedback = statement("feedback_of_traces.sql")
        self._approvals = statement("approvals_of_traces.sql")
        self._has_trace = statement("has_trace.sql")
        self._has_span = statement("has_span.sql")

    def feedback(self, project: str, trace_ids: Sequence[str], limit: int = 1000) -> Sequence[Row]:
        """Return the feedback on these traces, of each the first `limit` by time; `created_at` is ns since 1970."""
        values = {"project": project, "trace_ids": list(trace_ids), "limit": limit}
        return self._readers.query(self._feedback, values) if trace_ids else []

    def approvals(self, project: str, trace_ids: Sequence[str]) -> Sequence[Row]:
        """Return the latest approval of each span of these traces; `created_at` is ns since 1970."""
        values = {"project": project, "trace_ids": list(trace_ids)}
        return self._readers.query(self._approvals, values) if trace_ids else []

    def has_span(self, project: str, trace_id: str, span_id: str = "") -> bool:
        """Say whether there is this span, or, without its id, this trace."""
        values = {"project": project, "trace_id": trace_id, "span_id": span_id}
        (row,) = self._readers.query(self._has_span if span_id else self._has_trace, values)
        return bool(row["found"])
