"""Reading what people think of traces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from exporters.clickhouse.client import Readers

Row = Mapping[str, Any]


class ReviewReads:
    """Implements `collector.query.reader.ReviewReader`."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    def feedback(self, project: str, trace_ids: Sequence[str]) -> Sequence[Row]:
        """Return the feedback on these traces by time."""
        raise NotImplementedError

    def approvals(self, project: str, trace_ids: Sequence[str]) -> Sequence[Row]:
        """Return the latest approval of each span of these traces."""
        raise NotImplementedError
