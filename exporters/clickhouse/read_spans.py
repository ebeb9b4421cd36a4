"""Reading spans by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from exporters.clickhouse.client import Readers


class SpanReads:
    """Implements `collector.query.reader.SpanReader`."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    def spans(self, project: str, filters: Any) -> Sequence[Mapping[str, Any]]:
        """Return one page of spans."""
        raise NotImplementedError
