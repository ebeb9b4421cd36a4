"""Reading traces summed up: by session, by user, by time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from exporters.clickhouse.client import Readers

Row = Mapping[str, Any]


class SessionReads:
    """Implements `collector.query.reader.SessionReader`."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    def sessions(self, project: str, filters: Any) -> tuple[Sequence[Row], int]:
        """Return one page of sessions, and how many match in all."""
        raise NotImplementedError

    def session(self, project: str, session_id: str, limit: int, offset: int) -> tuple[Row, Sequence[Row]] | None:
        """Return a session and one page of its traces, or None."""
        raise NotImplementedError

    def users(self, project: str, limit: int, offset: int) -> tuple[Sequence[Row], int]:
        """Return one page of users, and how many there are in all."""
        raise NotImplementedError

    def analytics(
        self, project: str, metric: str, granularity: str, started_after_ns: int, started_before_ns: int
    ) -> Sequence[Row]:
        """Return one row a period of time."""
        raise NotImplementedError
